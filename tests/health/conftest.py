"""A database in which every check of `health` is ok."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest

from aigym_db.database.servers.installed import InstalledThrowaway
from tests.support.servers import installed

HEALTHY = """
set enable_seqscan = off;
do $$ begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'health_reader') then
    create role health_reader;
  end if;
end $$;
create schema app;
create domain app.size as int;
create table app.birds (id bigint primary key, parent bigint references app.birds, name text);
create index birds_name_idx on app.birds (name);
create index birds_parent_idx on app.birds (parent);
insert into app.birds values (1, null, 'a');
select from app.birds where name = 'a';
create table app.days (day date) partition by range (day);
create index days_day_idx on app.days (day);
alter table app.days enable row level security;
create policy days_select on app.days for select to health_reader using (true);
grant select on app.days to health_reader;
do $$ begin
  execute format('create table app.days_1 partition of app.days for values from (%L) to (%L)',
    current_date - 30, current_date + 30);
  execute format('create table app.days_2 partition of app.days for values from (%L) to (%L)',
    current_date + 30, current_date + 70);
end $$;
alter table app.days_1 enable row level security;
alter table app.days_2 enable row level security;
select from app.days where day = current_date;
select pg_catalog.pg_stat_force_next_flush();
reset enable_seqscan;
"""


@pytest.fixture(scope="session", params=os.environ.get("AIGYM_DB_TEST_SERVERS", "embedded").split())
def server(request: pytest.FixtureRequest) -> Iterator[InstalledThrowaway]:
    """A throwaway server of each version to test on."""
    with installed(request.param) as running:
        yield running


@pytest.fixture
def visitor(database: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A superuser's connection to the healthy database."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(HEALTHY)
        yield connection
        connection.rollback()
        connection.execute("drop schema app cascade")
