"""Databases of the reference database that several modules use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from aigym_db.access.test_database import TestDatabase, open_test_database
from aigym_db.database.connect import connect
from aigym_db.database.replay import replayed
from aigym_db.database.servers.server import TEMPLATE
from aigym_db.project.config import find
from aigym_db.project.migrations import migrations
from aigym_db.seeds.load import load
from aigym_db.seeds.plan import seed_files

PROJECT = find(Path(__file__).parents[2])
ReferenceDatabase = TestDatabase
"""The class under a name that pytest does not collect."""


@pytest.fixture(scope="module")
def base() -> Iterator[TestDatabase]:
    """The test database, of which a test clones its own."""
    with open_test_database(PROJECT) as opened:
        yield opened


@pytest.fixture
def connection(base: TestDatabase) -> Iterator[psycopg.Connection]:
    """A superuser's connection to a clone of it."""
    with base.connection() as opened:
        yield opened


@contextmanager
def seeded(*seed_sets: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A superuser's connection to the migrated database with these seed sets, on a temporary server."""
    ups = tuple(migration.up for migration in migrations(PROJECT))
    with (
        replayed("embedded", ups, PROJECT.session) as server,
        closing(connect(server.dsn(TEMPLATE), autocommit=True)) as connection,
    ):
        for name in seed_sets:
            load(connection, name, seed_files(PROJECT, name), PROJECT.owner)
        yield connection


def security_events(connection: psycopg.Connection) -> list[str]:
    """The codes of the security events of the current transaction, in order."""
    rows = connection.execute(
        """
        select t.code
        from audit.security_audit as log
        join audit.event_types as t on t.id = log.event_type_id
        where log.occurred_at >= now()
        order by log.occurred_at
        """
    )
    return [code for (code,) in rows]


WAITING = (
    "select from pg_catalog.pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
)
"""Returns a row for each session of the database that waits for a lock."""
