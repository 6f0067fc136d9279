"""SQL inside DO blocks and functions."""

from __future__ import annotations

import pytest

from aigym_db.lint.engine import lint_text


def hits(body: str) -> list[tuple[str, int, int]]:
    return [
        (finding.rule, finding.place.line, finding.place.column)
        for finding in lint_text(f"do $$\nbegin\n{body}\nend $$;", "x.sql")
        if finding.place
    ]


@pytest.mark.parametrize(
    "body",
    [
        "  create index on a.b (c);",
        "  /* é☃ */ create index on a.b (c);",
        "  if not exists (select 1) then create index on a.b (c); end if;",
        "  for x in select 1 loop create index on a.b (c); end loop;",
        "  begin create index on a.b (c); exception when others then null; end;",
        "  <<here>> create index on a.b (c);",
        "  case when true then create index on a.b (c); else null; end case;",
        "  execute 'create index on a.b (c)';",
        "  execute $q$create index on a.b (c)$q$;",
    ],
)
def test_a_statement_in_a_do_block_is_reported_at_its_line(body: str) -> None:
    assert [(rule, line) for rule, line, _ in hits(body)] == [("index-without-concurrently", 3)]


def test_a_statement_in_a_do_block_is_reported_at_its_column() -> None:
    assert hits("  /* é☃ */ alter table a.b add check (c > 1);") == [("check-validated", 3, 32)]


def test_a_table_created_in_a_do_block_is_not_in_use_in_later_statements() -> None:
    sql = "do $$ begin create table a.b (c int); create index on a.b (c); end $$; create index on a.b (c);"

    assert lint_text(sql, "x.sql") == ()


def test_a_body_in_single_quotes_is_linted() -> None:
    findings = lint_text("do 'begin perform ''x''; create index on a.b (c); end';", "x.sql")

    assert [finding.rule for finding in findings] == ["index-without-concurrently"]


@pytest.mark.parametrize(
    "body",
    [
        "delete from a.b returning c into strict v;",
        "insert into a.b select 1; delete from a.b;",
        "update a.b set c = v; return;",
        "if v then delete from a.b; end if;",
    ],
)
def test_a_function_that_changes_rows_without_where_is_reported(body: str) -> None:
    sql = f"create function a.f() returns void language plpgsql as $$ declare v int; begin {body} end $$;"

    assert [finding.rule for finding in lint_text(sql, "x.sql")] == ["dml-without-where"]


def test_an_sql_function_is_linted() -> None:
    sql = "create function a.f() returns void language sql as $$ select 1; delete from a.b; $$;"

    assert [finding.rule for finding in lint_text(sql, "x.sql")] == ["dml-without-where"]


@pytest.mark.parametrize(
    "body", ["drop table a.b;", "create index on a.b (c);", "alter table a.b drop column c;", "truncate a.b;"]
)
def test_statements_in_a_function_are_not_reported_as_changes_of_the_file(body: str) -> None:
    sql = f"create function a.f() returns void language plpgsql as $$ begin {body} end $$;"

    assert lint_text(sql, "x.sql") == ()


@pytest.mark.parametrize(
    ("command", "safe"),
    [
        ("execute 'select 1'", True),
        ("execute format('select %I', v)", True),
        ("execute format('select %L', v) into w using v", True),
        ("execute 'select ' || quote_literal(v)", True),
        ("execute format('select %s', v)", False),
        ("execute format('select %1$s', v)", False),
        ("execute format('table %s', r)", True),
        ("execute format('table %s', v::regclass)", True),
        ("execute format('%%s %I', v)", True),
        ("execute 'table ' || r", True),
        ("execute format('%2$s', r, v)", False),
        ("execute format(v, r)", False),
        ("execute 'select ' || v", False),
        ("execute v using w", False),
    ],
)
def test_dynamic_sql_in_a_definer_function_is_reported_unless_quoted(command: str, safe: bool) -> None:
    sql = (
        "create function a.f(v text, r regclass) returns void language plpgsql"
        " security definer set search_path = ''"
        f" as $$ begin {command}; end $$; revoke execute on function a.f(text, regclass) from public;"
    )

    names = [finding.rule for finding in lint_text(sql, "x.sql")]

    assert names == ([] if safe else ["definer-dynamic-sql"])


def test_a_function_altered_to_security_definer_is_checked_as_one() -> None:
    sql = (
        "create function a.f(v text) returns void language plpgsql set search_path = ''"
        " as $$ begin execute v; end $$;"
        " revoke execute on function a.f(text) from public; alter function a.f(text) security definer;"
    )

    assert [finding.rule for finding in lint_text(sql, "x.sql")] == ["definer-dynamic-sql"]
