"""One attempt to run a migration, and the failure that a run records."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from aigym_db.database import ledger
from aigym_db.database.connect import connect
from aigym_db.errors import SessionStateChanged, StatementFailed
from aigym_db.migrate.observer import Observer
from aigym_db.migrate.options import Options
from aigym_db.migrate.session.attempt import MigrationAttempt
from aigym_db.migrate.session.migration_run import Run
from aigym_db.migrate.session.reconnect import RunContext
from aigym_db.migrate.stop import Stop


@pytest.fixture
def run(database) -> Iterator[Run]:
    """Create a run on a database with an empty ledger."""
    with connect(database, autocommit=True) as connection, connect(database, autocommit=True) as second:
        ledger.create(second)
        yield Run(connection, second, RunContext(database, Options(), Observer(), Stop()))


def reply(state: str) -> Any:
    """Return a reply whose only result is a description of session state."""
    return SimpleNamespace(results=[SimpleNamespace(get_value=lambda *_: state.encode())])


def test_the_end_of_a_block_restores_the_outer_look_and_stall_limit(run, write) -> None:
    looks: list[str] = []
    attempt = MigrationAttempt(run, write(1, "select 1;"))

    with attempt.looking(lambda: looks.append("outer")), attempt.yielding(1_000):
        with attempt.looking(lambda: looks.append("inner")), attempt.yielding(None):
            attempt.look()
        attempt.look()
        stall_ms = attempt._stall_ms

    assert (looks, stall_ms) == (["inner", "outer"], 1_000)


@pytest.mark.parametrize("later", ["", "a cursor"])
def test_the_first_session_state_of_an_attempt_is_reported(run, write, later: str) -> None:
    first, second = write(1, "select 1;"), write(2, "select 2;")

    with (
        pytest.raises(SessionStateChanged, match=r"^0001 step_1 .* left session state: a temporary table"),
        MigrationAttempt(run, first) as attempt,
    ):
        attempt.inspect(reply(""), 0, first, first.up)
        attempt.inspect(reply("a temporary table"), 0, first, first.up)
        attempt.inspect(reply(later), 0, second, second.up)


def test_session_state_that_a_later_statement_of_the_file_ends_is_not_reported(run, write) -> None:
    migration = write(1, "select 1;")

    with MigrationAttempt(run, migration) as attempt:
        attempt.inspect(reply("the setting work_mem"), 0, migration, migration.up)
        attempt.inspect(reply(""), 0, migration, migration.up)


def test_a_failure_is_recorded_once_also_if_its_error_is_amended(run, other, write) -> None:
    migration, error = write(1, "select 1;"), StatementFailed("failed")

    run.failed(migration, "up", error, 1)
    run.failed(migration, "up", error.amended(hint="Correct it."), None)

    assert other.execute("select kind::text, statement from aigym_db.event").fetchall() == [("fail", 1)]
