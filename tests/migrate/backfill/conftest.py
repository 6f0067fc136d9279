"""A table of 5000 rows, a backfill that changes each of them once, and queries for its effects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from aigym_db.model.migration import Migration

TABLE = """
create table o (id int primary key, n int not null default 0, done boolean default false, pad text);
insert into o (id, pad) select i, repeat('x', 30) from generate_series(1, 5000) as i;
"""
ONCE = "update o set n = n + 1, done = true where not done;"
Rows = list[tuple[Any, ...]]


@pytest.fixture
def table(write: Callable[..., Migration]) -> Migration:
    """The migration that creates the table."""
    return write(1, TABLE, "drop table o;")


@pytest.fixture
def once() -> str:
    """The statement that changes every row once; `n` counts the changes of a row."""
    return ONCE


@pytest.fixture
def backfill(write: Callable[..., Migration]) -> Callable[..., Migration]:
    """Create a backfill: `backfill()` runs `ONCE` as version 2, `backfill(3, "delete …")` another."""

    def create(version: int = 2, up: str = ONCE, down: str = "select 1;", **more: str) -> Migration:
        return write(version, up, down, **{"options": " batch:500", **more})

    return create


@pytest.fixture
def counts() -> Callable[[psycopg.Connection], Rows]:
    """Return the numbers of changes per row, each with its number of rows."""
    statement = "select n, count(*) from o group by n order by n"
    return lambda connection: connection.execute(statement).fetchall()


@pytest.fixture
def journal() -> Callable[..., Rows]:
    """Return the kind and detail of the events of a migration, version 2 by default."""
    statement = "select kind::text, detail from aigym_db.event where version = %s order by id"
    return lambda connection, version=2: connection.execute(statement, [version]).fetchall()
