"""Statements that rules do not report: they do no long work under a blocking lock."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aigym_db.lint.engine import lint, lint_text
from aigym_db.lint.section import Section
from aigym_db.model.source import Source


@pytest.mark.parametrize(
    "sql",
    [
        "alter table coach.sessions alter title type varchar(40)",
        "alter table coach.sessions alter title type varchar",
        "alter table coach.sessions alter title type text",
        "alter table coach.sessions alter note type text",
        "alter table coach.sessions alter price type numeric(12,2)",
        "alter table coach.sessions alter price type numeric",
        "alter table coach.sessions alter ip type inet",
        "alter table coach.sessions alter at type timestamp",
        "alter table coach.sessions alter at type timestamp(6)",
        "alter table coach.sessions alter length type interval",
        "alter table coach.sessions alter bits type bit varying(16)",
        "alter table coach.sessions alter title type text using title::text",
        "alter table coach.sessions alter title type varchar(40) using title",
        "begin; set local time zone 'UTC'; alter table coach.sessions alter at type timestamptz; commit",
    ],
)
def test_a_type_change_that_affects_only_the_catalog_is_not_reported(
    sql: str, rules_hit: Callable[[str], list[str]]
) -> None:
    assert rules_hit(sql) == []


@pytest.mark.parametrize(
    "sql",
    [
        "alter table coach.sessions add column a timestamptz not null default now()",
        "alter table coach.sessions add column a date default current_date",
        "alter table coach.sessions add column a text default 'x' not null",
        "alter table coach.sessions add column a jsonb not null default '{}'",
        "alter table coach.sessions add column a bigint references coach.coaches (id)",
        "alter table coach.sessions add column a bigint generated always as (id + 1) virtual",
        "alter table coach.sessions alter rating set default 3",
        "alter table coach.sessions alter rating drop not null",
        "alter table coach.sessions alter checked set not null",
        "alter table coach.sessions alter id set not null",
        "alter table coach.sessions add constraint c foreign key (coach_id)"
        " references coach.coaches (id) not valid",
        "alter table coach.sessions add constraint c check (rating > 0) not valid",
        "alter table coach.sessions validate constraint sessions_checked_set",
        "alter table coach.sessions add constraint c not null rating not valid",
        "alter table coach.sessions set (fillfactor = 80)",
        "create index concurrently sessions_coach_id_idx on coach.sessions (coach_id)",
        "reindex index concurrently coach.sessions_pkey",
        "create table coach.tags (id bigint primary key, session_id bigint references coach.sessions (id))",
        "create table coach.tags (id bigint); create index on coach.tags (id)",
        "create table coach.tags (id bigint);"
        " alter table coach.tags add primary key (id), alter id type text",
        "begin; create table coach.tags (id bigint); create index on coach.tags (id); commit",
        "create table coach.tags as select id from coach.sessions; create unique index on coach.tags (id)",
        "create temporary table seen (id bigint); create index on seen (id); delete from seen",
        "create index on only coach.events (at)",
        "create table coach.e (like coach.events); alter table coach.events attach partition coach.e"
        " for values from ('2030-01-01') to ('2031-01-01')",
        "vacuum coach.sessions; analyze coach.sessions",
        "update coach.sessions s set rating = 1 from coach.coaches c where c.id = s.coach_id",
        "delete from coach.sessions where id = any (array[1, 2])",
        "lock table coach.sessions in row share mode",
        "comment on table coach.sessions is 'where they meet'",
        "create table coach.old (id bigint); drop table coach.old",
        "create function coach.f() returns void language plpgsql as $$"
        " begin execute 'truncate ' || 'x'; end $$",
        "set lock_timeout = '2s'",
        "create type coach.mood as enum ('a'); begin; create type coach.m as enum ('b');"
        " alter type coach.m add value 'c'; select 'c'; commit",
    ],
)
def test_a_safe_statement_is_not_reported(sql: str, rules_hit: Callable[[str], list[str]]) -> None:
    assert rules_hit(sql) == []


def test_a_table_created_in_a_batch_is_not_in_use_in_the_same_batch() -> None:
    first, second = Source("1.sql", "create table a.b (c int);"), Source("2.sql", "create index on a.b (c);")

    together = lint([Section(source, 0, len(source.text), batch=7) for source in (first, second)])
    apart = lint([Section(source, 0, len(source.text)) for source in (first, second)])

    assert [finding.rule for finding in together] == []
    assert [finding.rule for finding in apart] == ["index-without-concurrently"]


def test_a_table_created_in_a_rolled_back_transaction_does_not_exist() -> None:
    findings = lint_text("begin; create table a.b (c int); rollback; create index on a.b (c);", "x.sql")

    assert [finding.rule for finding in findings] == ["index-without-concurrently"]


def test_a_policy_replaced_by_a_later_file_is_not_reported() -> None:
    open_to_all = "create policy p on a.b for all to r using (true) with check (true);"
    closed = "drop policy p on a.b; create policy p on a.b for select to r using (c = 1);"
    sources = [Source("1.sql", open_to_all), Source("2.sql", closed)]

    findings = lint([Section(source, 0, len(source.text)) for source in sources])

    assert findings == ()
