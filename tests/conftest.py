"""Servers and databases for tests: real ones, gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aigym_db.database.servers import Throwaway, create_database, drop_database, throwaway


@pytest.fixture(scope="session")
def server() -> Iterator[Throwaway]:
    """A throwaway PostgreSQL 18 for this test process; with pytest-xdist each worker has its own."""
    with throwaway("embedded") as running:
        yield running


@pytest.fixture
def database(server: Throwaway) -> Iterator[str]:
    """The DSN of a fresh, empty database, dropped after the test."""
    dsn = create_database(server)
    yield dsn
    drop_database(server, dsn.partition("?")[0].rpartition("/")[2])
