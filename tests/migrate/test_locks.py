"""The runner lock, and locks of other sessions."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from aigym_db.database import ledger, locks
from aigym_db.errors import ConnectionLost, LockTimeout, RunnerLocked
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.observer import Observer
from aigym_db.migrate.options import Options


@pytest.fixture
def line(write):
    return (
        write(1, "create table a (x int); insert into a values (0);"),
        write(2, "update a set x = x + 1;"),
        write(3, "alter table a add column y int;"),
    )


@pytest.fixture
def reader(database):
    """A session that has read table a in an open transaction."""
    with psycopg.connect(database, application_name="slow report") as connection:
        yield connection


def test_a_second_runner_without_wait_reports_the_holder_of_the_runner_lock(database, line, other) -> None:
    other.execute("set application_name = 'the other one'")
    assert locks.try_acquire(other, 1)

    with pytest.raises(RunnerLocked) as error:
        migrate(database, line, options=Options(lock_wait_s=0))

    assert error.value.exit_status == 6
    assert f"pid {other.info.backend_pid} (the other one)" in error.value.detail
    assert not ledger.exists(other)


def test_a_timeout_of_the_runner_lock_reports_the_time_waited(database, line, other) -> None:
    locks.try_acquire(other, 1)

    with pytest.raises(RunnerLocked, match="it did not finish within"):
        migrate(database, line, options=Options(lock_wait_s=0.2))


def test_a_waiting_runner_continues_once_the_lock_is_free(database, line, other, listener) -> None:
    locks.try_acquire(other, 1)
    listener.on_wait = lambda waiting: other.execute("select pg_advisory_unlock_all()")

    migrate(database, line, observer=listener)

    assert [waiting.reason for waiting in listener.waits] == ["runner"]
    assert listener.waits[0].holders[0].pid == other.info.backend_pid


def test_a_run_waits_for_the_session_of_a_killed_runner(database, line, other, listener) -> None:
    locks.try_acquire(other, 2)
    seen = []
    listener.on_wait = lambda waiting: (
        seen.append(ledger.exists(other)),
        other.execute("select pg_advisory_unlock_all()"),
    )

    migrate(database, line, observer=listener)

    assert (listener.waits[0].reason, seen) == ("orphan", [False])


@pytest.mark.parametrize("runners", [2, 8])
def test_concurrent_runners_apply_every_migration_exactly_once(database, line, other, runners: int) -> None:
    start = threading.Barrier(runners)

    def run(_: int) -> int:
        start.wait()
        return len(migrate(database, line))

    with ThreadPoolExecutor(runners) as pool:
        applied = list(pool.map(run, range(runners)))

    assert sorted(applied) == [0] * (runners - 1) + [3]
    assert other.execute("select x from a").fetchone() == (1,)


@pytest.mark.parametrize("runners", [2, 8])
def test_several_runners_and_a_concurrent_build_do_not_deadlock(database, write, other, runners: int) -> None:
    text = "create index concurrently a_x_idx on a (x);"
    line = (write(1, "create table a (x int);"), write(2, text, options=" transaction:false"))

    with ThreadPoolExecutor(runners) as pool:
        applied = list(pool.map(lambda _: len(migrate(database, line)), range(runners)))

    assert sum(applied) == 2
    assert other.execute(
        "select indisvalid from pg_index where indexrelid = 'a_x_idx'::regclass"
    ).fetchone() == (True,)


def test_a_migration_blocked_by_a_reader_retries(database, line, reader, listener) -> None:
    migrate(database, line, to=2)
    reader.execute("select * from a")
    listener.on_wait = lambda waiting: reader.rollback() if waiting.reason == "retry" else None

    (finished,) = migrate(database, line, options=Options(lock_timeout_ms=200), observer=listener)

    assert finished.lock_wait_ms >= 200
    assert {waiting.reason for waiting in listener.waits} == {"lock", "retry"}


def test_the_final_lock_timeout_names_the_blocking_session(database, line, reader, other) -> None:
    migrate(database, line, to=2)
    reader.execute("select * from a")

    with pytest.raises(LockTimeout) as error:
        migrate(database, line, options=Options(lock_timeout_ms=150, patience_ms=300))

    assert error.value.exit_status == 4
    assert " on public.a " in error.value.message or " on a " in error.value.message
    assert f"pid {reader.info.backend_pid} (postgres, slow report" in error.value.detail
    assert "select * from a" in error.value.detail
    assert error.value.place.line == 3
    assert [row.version for row in ledger.applied(other)] == [1, 2]


def test_the_lock_timeout_of_the_file_or_of_the_project_is_set(database, write, other) -> None:
    note = "insert into seen values (current_setting('lock_timeout'));"
    line = (
        write(1, f"create table seen (value text); {note}"),
        write(2, note, options=" lock_timeout:7s"),
    )

    migrate(database, line, options=Options(lock_timeout_ms=1500))

    assert [row[0] for row in other.execute("select value from seen")] == ["1500ms", "7s"]


def test_a_run_stops_when_its_runner_lock_is_lost(database, line, other) -> None:
    class Thief(Observer):
        def finished(self, finished) -> None:
            if finished.migration.version == 1:
                for holder in locks.holders(other, 1):
                    other.execute("select pg_terminate_backend(%s, 5000)", [holder.pid])

    with pytest.raises(ConnectionLost, match="runner lock"):
        migrate(database, line, observer=Thief())

    assert [row.version for row in ledger.applied(other)] == [1]


def test_a_terminated_session_reports_the_certain_outcome(database, write, other) -> None:
    text = "create table b (); select pg_terminate_backend(pg_backend_pid());"
    line = (write(1, "create table a ();"), write(2, text))

    with pytest.raises(
        ConnectionLost, match="0002 step_2 is either applied completely or not at all"
    ) as error:
        migrate(database, line)

    assert "Committed before that: 0001" in error.value.detail
    assert other.execute("select to_regclass('b')").fetchone() == (None,)
    assert other.execute("select kind::text from aigym_db.event order by id desc limit 1").fetchone() == (
        "fail",
    )


@pytest.mark.parametrize("mode", ["access exclusive", "exclusive"])
def test_the_session_that_locks_the_ledger_is_reported(database, line, other, reader, mode: str) -> None:
    migrate(database, line[:1])
    reader.execute(f"lock table aigym_db.event in {mode} mode")

    with pytest.raises(LockTimeout, match=r"aigym_db\.event is locked by another session") as error:
        migrate(database, line, options=Options(lock_timeout_ms=100))

    assert f"pid {reader.info.backend_pid}" in error.value.detail
    assert "slow report" in error.value.detail
    reader.rollback()
    assert [row.version for row in ledger.applied(other)] == [1]
