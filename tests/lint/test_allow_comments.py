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
def test_an_allow_on_the_statement_silences_the_rule(sql: str) -> None:
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
def test_an_allow_that_covers_nothing_is_a_finding_itself(sql: str, expected: list[tuple[str, int]]) -> None:
    assert hits(sql) == expected


def test_a_misspelt_rule_is_told_its_name() -> None:
    (found,) = lint_text("-- allow drop-tabel: gone\nselect 1;", "x.sql")

    assert found.help == "Write `drop-table`, if that is what is meant."


def test_an_allow_above_a_policy_covers_what_the_finished_chain_says() -> None:
    sql = "-- allow policy-to-public: prices are public\ncreate policy p on a.b for select using (c = 1);"

    assert hits(sql) == []


def test_an_allow_in_history_for_the_end_is_not_one_too_many() -> None:
    migration = (
        "-- migrate:up\n-- allow policy-to-public: prices are public\n"
        "create policy p on a.b for select using (c = 1);\ndrop policy p on a.b;\n-- migrate:down\nselect 1;"
    )

    assert hits(migration) == []


def test_an_allow_inside_a_function_covers_the_statement_below_it_alone() -> None:
    sql = (
        "create function a.f(v text) returns void language plpgsql security definer set search_path = ''\n"
        "as $$ begin\n-- allow definer-dynamic-sql: callers are checked\nexecute v;\nexecute v; end $$;\n"
        "revoke execute on function a.f(text) from public;"
    )

    assert hits(sql) == [("definer-dynamic-sql", 5)]
