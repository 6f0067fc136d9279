"""Statements that rules report, beyond the examples of their pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aigym_db.lint.engine import lint_text

Hits = Callable[[str], list[str]]
TABLE = "create table a.t (id bigint primary key, owner uuid not null, team bigint);"
GUARDED = TABLE + "alter table a.t enable row level security; grant usage on schema a to r;"


@pytest.mark.parametrize(
    "condition",
    [
        "true",
        "1 = 1",
        "2 > 1",
        "'a' = 'a'",
        "id = id",
        "true or owner is null",
        "owner is null or true",
        "not false",
        "not (1 = 2)",
        "1 in (1, 2)",
        "id in (id)",
        "(select true)",
        "exists (select 1)",
        "'t'::boolean",
        "true is true",
        "coalesce(true, false)",
        "case when owner is null then true else true end",
        "owner is null or owner is not null",
        "team > 1 or not (team > 1)",
        "owner is not null",
        "id is not distinct from id",
        "current_user = current_user",
    ],
)
def test_a_policy_that_is_always_true_is_reported_in_every_form(condition: str, rules_hit: Hits) -> None:
    sql = GUARDED + f"create policy p on a.t for delete to r using ({condition});"

    assert "policy-always-true" in rules_hit(sql)


@pytest.mark.parametrize(
    "condition", ["team = 1", "false", "1 = 2", "team is not null", "owner = (select auth.uid())", "null"]
)
def test_a_condition_on_the_row_is_not_always_true(condition: str, rules_hit: Hits) -> None:
    assert "policy-always-true" not in rules_hit(
        GUARDED + f"create policy p on a.t to r using ({condition});"
    )


@pytest.mark.parametrize(
    "condition",
    [
        "owner = auth.uid()",
        "owner = (select auth.uid()) and team = auth.team()",
        "owner = current_setting('app.user')::uuid",
        "team in (select m.team from a.m where m.who = auth.uid())",
        "exists (select 1 from a.m where m.team = t.team and m.who = auth.uid())",
        "(select auth.uid() from a.m limit 1) = owner",
        "auth.role() = 'x' and owner is null",
    ],
)
def test_a_call_per_row_is_reported_even_next_to_a_wrapped_one(condition: str, rules_hit: Hits) -> None:
    sql = GUARDED + f"create policy p on a.t for select to r using ({condition});"

    assert "policy-bare-call" in rules_hit(sql)


@pytest.mark.parametrize(
    "condition",
    [
        "owner = (select auth.uid())",
        "team = any (array(select a.my_teams()))",
        "owner = (select current_setting('app.user', true)::uuid)",
        "owner = (select nullif(current_setting('app.user', true), '')::uuid)",
        "lower(owner::text) = 'x'",
        "exists (select 1 from a.m where m.team = t.team and m.who = (select auth.uid()))",
    ],
)
def test_a_call_per_statement_is_not_reported(condition: str, rules_hit: Hits) -> None:
    sql = GUARDED + f"create policy p on a.t for select to r using ({condition});"

    assert rules_hit(sql) == []


@pytest.mark.parametrize(
    "condition",
    [
        "(select a.is_admin()) or owner = (select auth.uid())",
        "team > 3 and (owner = (select auth.uid()) or (select a.is_admin()))",
        "owner = (select auth.uid()) or exists (select 1 from a.admins x where x.who = (select auth.uid()))",
        "owner = (select auth.uid()) or current_user = 'boss'",
    ],
)
def test_an_operand_of_or_that_does_not_depend_on_the_row_is_reported(
    condition: str, rules_hit: Hits
) -> None:
    sql = GUARDED + f"create policy p on a.t for select to r using ({condition});"

    assert rules_hit(sql) == ["policy-constant-branch"]


def test_a_correlated_subquery_depends_on_the_row(rules_hit: Hits) -> None:
    sql = GUARDED + (
        "create policy p on a.t for select to r using (owner = (select auth.uid()) or exists"
        " (select 1 from a.m x where x.team = t.team and x.who = (select auth.uid())));"
    )

    assert rules_hit(sql) == []


def test_recursion_over_two_tables_is_reported_at_both(rules_hit: Hits) -> None:
    sql = (
        "create table a.x (id bigint); create table a.y (id bigint);"
        "alter table a.x enable row level security; alter table a.y enable row level security;"
        "grant usage on schema a to r;"
        "create policy p on a.x for select to r using (id in (select id from a.y));"
        "create policy q on a.y for select to r using (id in (select id from a.x));"
    )

    assert rules_hit(sql) == ["policy-recursion", "policy-recursion"]


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("alter table coach.sessions alter title type varchar(10)", "alter-type-rewrite"),
        ("alter table coach.sessions alter title type char(40)", "alter-type-rewrite"),
        ("alter table coach.sessions alter price type numeric(8,3)", "alter-type-rewrite"),
        ("alter table coach.sessions alter at type timestamp(1)", "alter-type-rewrite"),
        ("alter table coach.sessions alter at type timestamptz", "alter-type-rewrite"),
        ("alter table coach.sessions alter rating type text", "alter-type-rewrite"),
        ("alter table coach.sessions alter title type text using upper(title)", "alter-type-rewrite"),
        (
            "alter table coach.sessions add column a int default floor(random() * 6)",
            "add-column-volatile-default",
        ),
        ("alter table coach.sessions add constraint c not null rating", "set-not-null-scan"),
        (
            "alter table coach.sessions validate constraint sessions_checked_set;"
            " alter table coach.sessions alter rating set not null",
            "set-not-null-scan",
        ),
        (
            "alter table coach.sessions add constraint c check (rating is not null) not valid;"
            " alter table coach.sessions alter rating set not null",
            "set-not-null-scan",
        ),
        ("create unique index on coach.sessions (rating)", "index-without-concurrently"),
        ("create index on coach.events (at)", "index-without-concurrently"),
        ("create index on somewhere.unknown (x)", "index-without-concurrently"),
        ("drop index coach.sessions_rating_idx", "drop-index-without-concurrently"),
        ("alter table coach.sessions add primary key (rating)", "primary-key-without-index"),
        ("vacuum (full, analyze) coach.sessions", "vacuum-full"),
        ("delete from coach.sessions where 1 = 1", "dml-without-where"),
        ("update coach.sessions set rating = 1 from coach.coaches", "dml-without-where"),
        ("begin; vacuum coach.sessions; commit", "concurrently-in-transaction"),
        ("begin; drop index concurrently coach.i; commit", "concurrently-in-transaction"),
        ("begin; reindex table concurrently coach.sessions; commit", "concurrently-in-transaction"),
        ("begin; set lock_timeout = '1s'; commit", "set-without-local"),
        ("do $$ begin set lock_timeout = '1s'; end $$", "set-without-local"),
        ("alter table coach.sessions set schema attic", "rename-table"),
        ("truncate coach.sessions, coach.coaches", "truncate"),
        ("drop table coach.sessions cascade", "drop-cascade"),
        ("alter table coach.coaches drop column name cascade", "drop-cascade"),
        ("grant all on all tables in schema coach to app", "truncate-grant"),
        ("grant create on schema coach to public", "grant-to-public"),
        ("alter default privileges grant select on tables to public", "default-privileges-open"),
    ],
)
def test_a_statement_is_reported(sql: str, rule: str, rules_hit: Hits) -> None:
    assert rule in rules_hit(sql)


def test_truncate_cascade_names_the_tables_it_empties() -> None:
    sql = (
        "create table a.x (id bigint primary key);"
        "create table a.y (id bigint primary key, x bigint references a.x);"
        "create table a.z (y bigint references a.y);"
    )
    migration = lint_text(f"-- migrate:up\n{sql}\n-- migrate:down\ndrop table a.z;", "0001_x.sql")
    cascade = lint_text("truncate a.x cascade;", "x.sql")

    assert migration == ()
    assert "and of every table that references it" in cascade[0].message
