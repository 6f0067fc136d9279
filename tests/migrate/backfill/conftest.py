"""A table of 5000 rows, the backfill that changes each of them once, and what became of it."""

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
    """The migration that makes the table."""
    return write(1, TABLE, "drop table o;")


@pytest.fixture
def once() -> str:
    """The statement that changes every row once, and counts in `n` how often it did."""
    return ONCE


@pytest.fixture
def backfill(write: Callable[..., Migration]) -> Callable[..., Migration]:
    """Makes a backfill: `backfill()` changes every row once, `backfill(3, "delete from …")` does that."""

    def made(version: int = 2, up: str = ONCE, down: str = "select 1;", **more: str) -> Migration:
        return write(version, up, down, **{"options": " batch:500", **more})

    return made


@pytest.fixture
def counts() -> Callable[[psycopg.Connection], Rows]:
    """How often rows were changed, and how many rows that often."""
    question = "select n, count(*) from o group by n order by n"
    return lambda connection: connection.execute(question).fetchall()


@pytest.fixture
def journal() -> Callable[..., Rows]:
    """What the ledger has about a backfill, the second migration unless told otherwise."""
    question = "select kind::text, detail from aigym_db.event where version = %s order by id"
    return lambda connection, version=2: connection.execute(question, [version]).fetchall()
