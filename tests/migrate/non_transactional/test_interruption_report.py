"""The report of a run interrupted in the second statement of a file: the first stays applied."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import psycopg
import pytest

from aigym_db.errors import Interrupted, PartiallyApplied
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options
from aigym_db.model.migration import Migration

STAYS = "Committed before that: 0001, statement 1 of 0002 step_2, which stays."
END = "This was statement 2 of 2 of a non-transactional file."
HOLDER = (
    "from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid() and granted and "
    "pid in (select pid from pg_stat_activity where application_name = 'aigym-db' and state = 'idle')"
)


@pytest.fixture
def line(anywhere: str, write: Callable[..., Migration], holder: psycopg.Connection) -> tuple[Migration, ...]:
    """Two migrations; the second blocks in its second statement."""
    migrations = (
        write(1, "create table a (x int);"),
        write(2, "alter table a add column y int;\nlock table b;", options=" transaction:false"),
    )
    holder.execute("create table b (x int)")
    holder.commit()
    holder.execute("lock table b")
    return migrations


def test_after_a_signal_the_applied_statements_are_reported(anywhere, line, during_wait, monitor) -> None:
    with pytest.raises(Interrupted) as error:
        migrate(anywhere, line, observer=during_wait(lambda: os.kill(os.getpid(), signal.SIGINT)))

    assert error.value.message == (
        "Stopped by SIGINT. Statement 2 of 0002 step_2 was cancelled and rolled back."
    )
    assert error.value.detail == STAYS
    assert monitor.execute("select y from a").fetchall() == []


def test_after_a_signal_between_two_statements_the_applied_statements_are_reported(
    anywhere, write, during_wait
) -> None:
    observer = during_wait()
    observer.statement = lambda migration, number, of: os.kill(os.getpid(), signal.SIGTERM)
    line = (write(2, "create table a (x int);\ncreate table b (x int);", options=" transaction:false"),)

    with pytest.raises(Interrupted, match="Stopped by SIGTERM within 0002 step_2") as error:
        migrate(anywhere, line, observer=observer)

    assert error.value.detail == STAYS.replace("0001, ", "")


def test_after_a_signal_in_a_resumed_run_the_applied_statements_are_reported(
    anywhere, line, during_wait
) -> None:
    stop = lambda: os.kill(os.getpid(), signal.SIGINT)  # noqa: E731
    with pytest.raises(Interrupted):
        migrate(anywhere, line, observer=during_wait(stop))

    with pytest.raises(Interrupted) as error:
        migrate(anywhere, line, observer=during_wait(stop))

    assert error.value.detail == "Committed before that: statement 1 of 0002 step_2, which stays."


def test_a_completed_file_is_reported_as_a_whole(anywhere, line, write, during_wait) -> None:
    first = write(1, "create table a (x int);\ncreate table c (x int);", options=" transaction:false")

    with pytest.raises(Interrupted) as error:
        migrate(
            anywhere,
            (first, write(2, "lock table b;")),
            observer=during_wait(lambda: os.kill(os.getpid(), signal.SIGINT)),
        )

    assert error.value.detail == "Committed before that: 0001."


def test_after_a_lost_session_the_applied_statements_are_reported(
    anywhere, line, during_wait, terminate
) -> None:
    with pytest.raises(PartiallyApplied) as error:
        migrate(anywhere, line, observer=during_wait(terminate))

    assert error.value.message == (
        "The connection to the server was lost. "
        f"Statement 2 of 0002 step_2 is either applied completely or not at all. {END}"
    )
    assert STAYS in error.value.detail


def test_after_the_runner_lock_is_lost_the_applied_statements_are_reported(
    anywhere, line, during_wait, monitor
) -> None:
    terminate_holder = f"select pg_terminate_backend(pid, 5000) {HOLDER}"

    with pytest.raises(PartiallyApplied) as error:
        migrate(anywhere, line, observer=during_wait(lambda: monitor.execute(terminate_holder)))

    assert error.value.message == (
        "The connection to the server was lost. It held the runner lock. "
        f"Statement 2 of 0002 step_2 was rolled back. {END}"
    )
    assert STAYS in error.value.detail


@pytest.mark.parametrize("second", ["lock table b", "vacuum full b"])
def test_after_a_lock_timeout_the_database_is_not_reported_as_unchanged(
    anywhere, line, write, second: str
) -> None:
    line = (line[0], write(2, f"alter table a add y int;\n{second};", options=" transaction:false"))

    with pytest.raises(PartiallyApplied, match=r"^Statement 2 of 0002 step_2 did not get its lock") as error:
        migrate(anywhere, line, options=Options(lock_timeout_ms=50, patience_ms=100))

    assert "nothing changed" not in error.value.message
