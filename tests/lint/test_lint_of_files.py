"""Whole files: places, files that do not parse, migrations and their downs, templates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigym_db.errors import BadSql
from aigym_db.lint.engine import lint_project, lint_scripts, lint_text
from aigym_db.model.source import Source, Span
from aigym_db.project.migrations import parse as migration
from aigym_db.syntax.parse import parse


def hits(sql: str) -> list[tuple[str, int, int]]:
    return [(one.rule, one.place.line, one.place.column) for one in lint_text(sql, "x.sql") if one.place]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r*/'"), max_size=40))
def test_places_count_characters_under_any_unicode(text: str) -> None:
    before = f"select '{text}'; /* {text} */ "

    (found,) = lint_text(f"{before}alter table a.b add check (c > 1);", "x.sql")

    assert found.place is not None
    lines = f"{before}alter table a.b add ".split("\n")
    assert (found.place.line, found.place.column) == (len(lines), len(lines[-1]) + 1)


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
def test_what_does_not_parse_is_a_finding_and_the_rest_is_linted(
    sql: str, expected: list[tuple[str, int]]
) -> None:
    assert [(rule, line) for rule, line, _ in hits(sql)] == expected


def test_a_file_that_does_not_parse_has_the_code_of_the_error() -> None:
    (found,) = lint_text("selec 1", "x.sql")

    assert (found.code, found.level) == (BadSql.code, "error")


@pytest.mark.parametrize("sql", ["", "\n", "-- nothing\n", ";", "\ufeffselect 1;\r\n", "select 1"])
def test_a_file_with_nothing_in_it_is_clean(sql: str) -> None:
    assert lint_text(sql, "x.sql") == ()


def test_a_migration_with_wrong_markers_is_a_finding() -> None:
    (found,) = lint_text("-- migrate:up\nselect 1;\n", "x.sql")

    assert (found.rule, found.code) == ("bad-migration", "AIG-P008")


def test_a_down_may_destroy_and_says_what_it_blocks_as_a_note() -> None:
    one = migration(
        Source("1.sql", "-- migrate:up\ncreate table a.b (c int);\n-- migrate:down\ndrop table a.b;"), 1, "a"
    )
    two = migration(
        Source(
            "2.sql",
            "-- migrate:up transaction:false\ncreate index concurrently i on a.b (c);\n"
            "-- migrate:down\ndrop index a.i;",
        ),
        2,
        "b",
    )

    found = lint_project([one, two])

    assert [(finding.rule, finding.level) for finding in found] == [
        ("drop-index-without-concurrently", "note")
    ]


def test_a_down_leaves_nothing_behind() -> None:
    one = migration(
        Source("1.sql", "-- migrate:up\ncreate table a.b (c varchar(9));\n-- migrate:down\ndrop table a.b;"),
        1,
        "a",
    )
    two = migration(
        Source("2.sql", "-- migrate:up\nalter table a.b alter c type text;\n-- migrate:down\nselect 1;"),
        2,
        "b",
    )

    assert lint_project([one, two]) == ()


def test_silent_migrations_are_replayed_and_not_reported() -> None:
    one = migration(
        Source("1.sql", "-- migrate:up\ncreate index on a.b (c);\n-- migrate:down\nselect 1;"), 1, "a"
    )

    assert lint_project([one], silent=[1]) == ()
    assert [finding.rule for finding in lint_project([one])] == ["index-without-concurrently"]


def test_the_state_is_judged_where_there_is_one_and_at_the_templates_place() -> None:
    policy = "create policy p on a.b for select using (c = 1);"
    one = migration(
        Source("1.sql", f"-- migrate:up\n{policy}\n-- migrate:down\ndrop policy p on a.b;"), 1, "a"
    )
    template = "{# head #}\n" + policy
    source = Source("b.sql", policy, (Span(0, "b.sql.j2", 11),), {"b.sql.j2": template})

    found = lint_project([one], [parse(source)])

    assert [(finding.rule, str(finding.place)) for finding in found] == [("policy-to-public", "b.sql.j2:2:1")]


def test_scripts_follow_one_another() -> None:
    scripts = [
        parse(Source("1.sql", "create table a.b (c int);")),
        parse(Source("2.sql", "create index on a.b (c);")),
    ]

    found = lint_scripts(scripts)

    assert [str(finding.place) for finding in found] == ["2.sql:1:1"]
