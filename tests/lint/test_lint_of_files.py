"""Lint of files: places, files that do not parse, migrations and their downs, templates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigym_db.errors import BadSql
from aigym_db.lint.engine import lint_project, lint_text
from aigym_db.model.source import Source, Span
from aigym_db.project.migrations import parse as migration
from aigym_db.syntax.parse import parse


def hits(sql: str) -> list[tuple[str, int, int]]:
    return [
        (finding.rule, finding.place.line, finding.place.column)
        for finding in lint_text(sql, "x.sql")
        if finding.place
    ]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r*/'"), max_size=40))
def test_places_count_characters_of_any_unicode_text(text: str) -> None:
    before = f"select '{text}'; /* {text} */ "

    (finding,) = lint_text(f"{before}alter table a.b add check (c > 1);", "x.sql")

    assert finding.place is not None
    lines = f"{before}alter table a.b add ".split("\n")
    assert (finding.place.line, finding.place.column) == (len(lines), len(lines[-1]) + 1)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("selec 1;\ncreate index on a.b (c);", [("bad-sql", 1), ("index-without-concurrently", 2)]),
        ("create index on a.b (c);\nselect from where;", [("index-without-concurrently", 1), ("bad-sql", 2)]),
        ("create index on a.b (c);\nselect 'open;", [("index-without-concurrently", 1), ("bad-sql", 2)]),
        (
            "selec é;\nselec 2;\ncreate index on a.b (c);",
            [("bad-sql", 1), ("bad-sql", 2), ("index-without-concurrently", 3)],
        ),
        ("create index on a.b (c)\n$$ open", [("bad-sql", 2)]),
        (
            "create table a.b (c int;\ncreate index on a.b (c);",
            [("bad-sql", 1), ("index-without-concurrently", 2)],
        ),
        (
            "selec 1;\ncreate function a.f() returns int begin atomic select 1;"
            " select case when true then 2 end; end;\n"
            "create index on a.b (c);",
            [("bad-sql", 1), ("index-without-concurrently", 3)],
        ),
        (
            "selec 1;\ncreate rule r as on insert to a.b do also (select 1; select 2);\n"
            "create index on a.b (c);",
            [("bad-sql", 1), ("index-without-concurrently", 3)],
        ),
    ],
)
def test_invalid_sql_is_a_finding_and_the_rest_is_linted(sql: str, expected: list[tuple[str, int]]) -> None:
    assert [(rule, line) for rule, line, _ in hits(sql)] == expected


def test_a_finding_about_invalid_sql_has_the_code_of_the_error() -> None:
    (finding,) = lint_text("selec 1", "x.sql")

    assert (finding.code, finding.level) == (BadSql.code, "error")


@pytest.mark.parametrize("sql", ["", "\n", "-- nothing\n", ";", "\ufeffselect 1;\r\n", "select 1"])
def test_a_file_without_statements_has_no_findings(sql: str) -> None:
    assert lint_text(sql, "x.sql") == ()


def test_a_migration_with_wrong_markers_is_a_finding() -> None:
    (finding,) = lint_text("-- migrate:up\nselect 1;\n", "x.sql")

    assert (finding.rule, finding.code) == ("bad-migration", "AIG-P008")


def test_a_down_may_drop_objects_and_its_blocking_statements_are_notes() -> None:
    first = migration(
        Source("1.sql", "-- migrate:up\ncreate table a.b (c int);\n-- migrate:down\ndrop table a.b;"), 1, "a"
    )
    second = migration(
        Source(
            "2.sql",
            "-- migrate:up transaction:false\ncreate index concurrently i on a.b (c);\n"
            "-- migrate:down\ndrop index a.i;",
        ),
        2,
        "b",
    )

    findings = lint_project([first, second])

    assert [(finding.rule, finding.level) for finding in findings] == [
        ("drop-index-without-concurrently", "note")
    ]


def test_a_down_does_not_affect_later_migrations() -> None:
    first = migration(
        Source("1.sql", "-- migrate:up\ncreate table a.b (c varchar(9));\n-- migrate:down\ndrop table a.b;"),
        1,
        "a",
    )
    second = migration(
        Source("2.sql", "-- migrate:up\nalter table a.b alter c type text;\n-- migrate:down\nselect 1;"),
        2,
        "b",
    )

    assert lint_project([first, second]) == ()


def test_the_catalog_of_the_state_is_checked_and_reported_at_the_template() -> None:
    policy = "create policy p on a.b for select using (c = 1);"
    first = migration(
        Source("1.sql", f"-- migrate:up\n{policy}\n-- migrate:down\ndrop policy p on a.b;"), 1, "a"
    )
    template = "{# head #}\n" + policy
    source = Source("b.sql", policy, (Span(0, "b.sql.j2", 11),), {"b.sql.j2": template})

    findings = lint_project([first], [parse(source)])

    assert [(finding.rule, str(finding.place)) for finding in findings] == [
        ("policy-to-public", "b.sql.j2:2:1")
    ]
