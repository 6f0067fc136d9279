"""Migrations as a non-superuser owner, as on a managed server."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from aigym_db.database import ledger, locks
from aigym_db.errors import LockTimeout, ReadOnly, RunnerLocked
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options
from aigym_db.migrate.rollback import rollback


@pytest.fixture
def plain(database: str, other: psycopg.Connection) -> Iterator[str]:
    """A DSN of a non-superuser role that owns the database."""
    name = other.info.dbname
    other.execute("create role plain login nosuperuser nobypassrls")
    other.execute(f"alter database {name} owner to plain")
    other.execute("alter schema public owner to plain")
    yield make_conninfo(database, user="plain")
    other.execute(f"alter database {name} owner to postgres")
    other.execute("drop owned by plain; drop role plain")


@pytest.fixture
def line(write):
    return (
        write(1, "create table a (x int);", "drop table a;"),
        write(
            2,
            "create index concurrently a_x_idx on a (x);",
            "drop index concurrently a_x_idx;",
            options=" transaction:false",
            down_options=" transaction:false",
        ),
    )


def test_up_and_down(plain, line, other) -> None:
    migrate(plain, line)
    rollback(plain, line, to=0)
    migrate(plain, line)

    assert [(row.version, row.applied_by) for row in ledger.applied(other)] == [(1, "plain"), (2, "plain")]


def test_a_runner_of_another_role_is_reported_with_its_visible_fields(plain, line, other) -> None:
    locks.try_acquire(other, 1)

    with pytest.raises(RunnerLocked) as error:
        migrate(plain, line, options=Options(lock_wait_s=0))

    assert f"pid {other.info.backend_pid}" in error.value.detail


def test_a_blocking_session_of_another_role_is_reported_with_its_visible_fields(
    plain, line, other, write
) -> None:
    migrate(plain, line)

    with other.transaction(), pytest.raises(LockTimeout) as error:
        other.execute("select * from a")
        options = Options(lock_timeout_ms=150, patience_ms=100)
        migrate(plain, (*line, write(3, "alter table a add column y int;")), options=options)

    assert f"pid {other.info.backend_pid}" in error.value.detail


@pytest.fixture
def clerk(database: str, other: psycopg.Connection, line) -> Iterator[str]:
    """A DSN of a role with CREATE in a database with a ledger of another role."""
    migrate(database, line[:1])
    other.execute("create role clerk login; grant create on schema public to clerk")
    other.execute("alter table a owner to clerk")
    yield make_conninfo(database, user="clerk")
    other.execute("drop owned by clerk; drop role clerk")


@pytest.mark.parametrize(
    ("granted", "missing"),
    [("insert", "select"), ("select", "insert"), ("references", "select, insert")],
)
def test_a_role_without_ledger_privileges_has_a_hint_with_the_required_grant(
    clerk, line, other, granted: str, missing: str
) -> None:
    other.execute(f"grant {granted} on aigym_db.event to clerk")
    events = "select count(*) from aigym_db.event"
    before = other.execute(events).fetchone()

    with pytest.raises(ReadOnly) as error:
        migrate(clerk, line)

    assert (error.value.code, other.execute(events).fetchone()) == ("AIG-S005", before)
    needed = f"grant {missing} on aigym_db.event to clerk"
    assert f"`{needed}`" in error.value.hint
    other.execute(needed)
    migrate(clerk, line)
    assert [row.version for row in ledger.applied(other)] == [1, 2]
