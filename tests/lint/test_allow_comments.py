"""`-- allow <rule>: <reason>`."""

from __future__ import annotations

import pytest

from aigym_db.lint.engine import lint_text

REASON = "-- allow index-without-concurrently: the table is small"
INDEX = "create index on a.b (c);"


def hits(sql: str) -> list[tuple[str, int]]:
    return [(finding.rule, finding.place.line) for finding in lint_text(sql, "x.sql") if finding.place]


@pytest.mark.parametrize(
    "sql",
    [
        f"{REASON}\n{INDEX}",
        f"{REASON}\n-- another comment\n{INDEX}",
        f"{INDEX} {REASON}",
        f"create index on\n    {REASON}\n    a.b (c);",
        f"select 1;\n\n{REASON}\n{INDEX}",
        f"select 1; {INDEX} {REASON}",
        f"do $$\nbegin\n    {REASON}\n    {INDEX}\nend $$;",
        f"{REASON}\ndo $$ begin {INDEX} end $$;",
        f"-- é\n{REASON} — é\n{INDEX}",
        f"{REASON}\n-- allow drop-table: both\ndo $$ begin {INDEX} drop table a.b; end $$;",
    ],
)
def test_an_allow_comment_on_a_statement_suppresses_the_rule(sql: str) -> None:
    assert hits(sql) == []


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (f"{REASON}\n\n{INDEX}", [("allow-unused", 1), ("index-without-concurrently", 3)]),
        (f"{INDEX}\n{REASON}", [("index-without-concurrently", 1), ("allow-unused", 2)]),
        (f"{REASON}\nselect 1;\n{INDEX}", [("allow-unused", 1), ("index-without-concurrently", 3)]),
        (f"-- allow drop-table: no\n{INDEX}", [("allow-unused", 1), ("index-without-concurrently", 2)]),
        (f"-- allow nonsense: no\n{INDEX}", [("allow-unknown-rule", 1), ("index-without-concurrently", 2)]),
        (f"-- allow index-without-concurrently\n{INDEX}", [("allow-without-reason", 1)]),
        (f"-- allow index-without-concurrently:  \n{INDEX}", [("allow-without-reason", 1)]),
        (f"select '{REASON}';\n{INDEX}", [("index-without-concurrently", 2)]),
        (f"/* {REASON} */\n{INDEX}", [("index-without-concurrently", 2)]),
    ],
)
def test_an_allow_comment_that_suppresses_nothing_is_a_finding(
    sql: str, expected: list[tuple[str, int]]
) -> None:
    assert hits(sql) == expected


@pytest.mark.parametrize("rule", ["index-without-concurrently", "policy-to-public"])
@pytest.mark.parametrize(
    ("migration", "line"),
    [
        ("{allow}\n-- migrate:up\nselect 1;\n-- migrate:down\nselect 1;", 1),
        ("-- a heading\n\n{allow}\n-- migrate:up\nselect 1;\n-- migrate:down\nselect 1;", 3),
        ("-- migrate:up\nselect 1;\n{allow}\n-- migrate:down\nselect 1;", 3),
        ("-- migrate:up\nselect 1;\n-- migrate:down irreversible: a test\n{allow}\n", 4),
    ],
    ids=["first line", "above the marker", "above the down marker", "below an irreversible down"],
)
def test_an_allow_comment_outside_the_sql_of_a_migration_is_reported_as_unused(
    migration: str, line: int, rule: str
) -> None:
    text = migration.format(allow=f"-- allow {rule}: the table is small")

    (finding,) = lint_text(text, "x.sql")

    assert (finding.rule, finding.place.line) == ("allow-unused", line)
    assert finding.hint == "Move it directly above the statement, or remove it."


def test_a_misspelt_rule_above_the_marker_is_reported() -> None:
    text = "-- allow nonsense: no\n-- migrate:up\nselect 1;\n-- migrate:down\nselect 1;"

    assert hits(text) == [("allow-unknown-rule", 1)]


def test_a_misspelt_rule_is_reported_with_the_nearest_name() -> None:
    (finding,) = lint_text("-- allow drop-tabel: gone\nselect 1;", "x.sql")

    assert finding.hint == "Write `drop-table`, if that is the intended rule."


def test_an_allow_comment_above_a_policy_covers_findings_about_the_finished_catalog() -> None:
    sql = "-- allow policy-to-public: prices are public\ncreate policy p on a.b for select using (c = 1);"

    assert hits(sql) == []


def test_an_allow_comment_in_a_migration_for_a_rule_on_the_catalog_is_not_reported_as_unused() -> None:
    migration = (
        "-- migrate:up\n-- allow policy-to-public: prices are public\n"
        "create policy p on a.b for select using (c = 1);\ndrop policy p on a.b;\n-- migrate:down\nselect 1;"
    )

    assert hits(migration) == []


def test_an_allow_comment_inside_a_function_covers_only_the_statement_below_it() -> None:
    sql = (
        "create function a.f(v text) returns void language plpgsql security definer set search_path = ''\n"
        "as $$ begin\n-- allow definer-dynamic-sql: callers are checked\nexecute v;\nexecute v; end $$;\n"
        "revoke execute on function a.f(text) from public;"
    )

    assert hits(sql) == [("definer-dynamic-sql", 5)]
