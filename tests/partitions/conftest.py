"""A project with one table partitioned by month, whose partitions end two months ago or later."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from aigym_db.database.servers.installed import InstalledThrowaway
from aigym_db.partitions.interval import interval_at
from tests.support.command import ProjectInProcess
from tests.support.servers import installed

EVENTS = """
create schema app;
create table app.people (id int primary key);
create table app.events (
  id bigint generated always as identity,
  created_at timestamptz not null,
  person int references app.people on delete cascade,
  text text,
  words int generated always as (length(text)) stored,
  primary key (id, created_at)
) partition by range (created_at);
create index events_text_idx on app.events (text);
alter table app.events enable row level security;
create function app.reject() returns trigger language plpgsql as $$
begin raise exception 'append-only'; end $$;
create function app.number() returns trigger language plpgsql as $$
begin new.text := new.text || '!'; return new; end $$;
create trigger number before insert on app.events for each row execute function app.number();
create trigger reject before delete on app.events for each row when (old.text = 'kept!')
  execute function app.reject();
insert into app.people select generate_series(1, 9);
"""


@pytest.fixture(scope="session", params=os.environ.get("AIGYM_DB_TEST_SERVERS", "embedded").split())
def server(request: pytest.FixtureRequest) -> Iterator[InstalledThrowaway]:
    """A throwaway server of each version to test on."""
    with installed(request.param) as running:
        yield running


@pytest.fixture
def visitor(database: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A superuser's connection to the database with the table, which has no partitions."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(EVENTS.encode())
        yield connection


@pytest.fixture
def project(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> ProjectInProcess:
    """A project without templates."""
    project = ProjectInProcess(tmp_path, capsys)
    project.dsn = database
    project.write(
        "aigym-db.toml",
        'partition_archive = "archive"\n[partitions]\n"app.events" = "range created_at month keep 3"\n',
    )
    project.migration("0001_one", "select 1;")
    return project


def month(offset: int) -> datetime:
    """The start of the month that is `offset` months after the current one."""
    return interval_at("month", datetime.now(UTC), offset).lower


def partition_name(offset: int) -> str:
    """The name of the partition of that month."""
    return f"events_p{month(offset):%Y%m}"


def create_partitions(connection: psycopg.Connection[tuple[object, ...]], first: int, last: int) -> None:
    """Create the partitions of these months, and the overflow partition after them."""
    for offset in range(first, last + 1):
        connection.execute(
            f"create table app.{partition_name(offset)} partition of app.events "
            f"for values from ('{month(offset)}') to ('{month(offset + 1)}')".encode()
        )
    connection.execute(
        f"create table app.events_overflow partition of app.events for values from ('{month(last + 1)}') "
        "to (maxvalue)".encode()
    )
    connection.execute("alter table app.events_overflow enable row level security")


def insert(
    connection: psycopg.Connection[tuple[object, ...]], *offsets: int, text: str = "a", person: int = 1
) -> None:
    """Insert a row into the middle of each of these months."""
    for offset in offsets:
        connection.execute(
            "insert into app.events (created_at, person, text) values (%s, %s, %s)",
            (month(offset) + timedelta(days=14), person, text),
        )


def rows(connection: psycopg.Connection[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Every row of the table, in order of time."""
    return connection.execute("select * from app.events order by created_at, id").fetchall()


def rows_by_partition(connection: psycopg.Connection[tuple[object, ...]]) -> dict[object, object]:
    """The number of rows in each partition that has some."""
    counts: list[Any] = connection.execute(
        "select relname, count(*) from app.events as e join pg_class as c on c.oid = e.tableoid group by 1"
    ).fetchall()
    return dict(counts)
