"""Long statements wait without a lock timeout and report blocking sessions and progress."""

from __future__ import annotations

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.database.servers.databases import create_database
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.errors import LockTimeout
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.observer import Progress
from aigym_db.migrate.options import Options

NON_TRANSACTIONAL = " transaction:false"
WRITER = "insert into a values (100)"
READER = "select count(*) from a"
TABLE = (
    "create table a (x int primary key, y int); insert into a select i, i from generate_series(1, 50) as i;"
)
SLOW = (
    "create function slow(int) returns int language plpgsql immutable as "
    "$$ begin perform pg_sleep(0.1); return $1; end $$; "
    "create table a (x int, y int); insert into a values (1), (2), (3), (4);"
)


@pytest.mark.parametrize(
    "statement",
    [
        "drop index concurrently a_y",
        "reindex table concurrently a",
        "create index concurrently a_z on a (x, y)",
    ],
)
def test_a_concurrent_statement_waits_for_a_transaction_and_reports_its_session(
    anywhere, holder, write, during_wait, indexes, statement: str
) -> None:
    line = (
        write(1, TABLE + "create index a_y on a (y);"),
        write(2, f"{statement};", options=NON_TRANSACTIONAL),
    )
    migrate(anywhere, line, to=1)
    holder.execute(WRITER)
    wait = lambda: None  # noqa: E731
    observer = during_wait(wait, wait, holder.rollback)

    migrate(anywhere, line, options=Options(lock_timeout_ms=20, patience_ms=50), observer=observer)

    assert {blocker.application for wait in observer.waits for blocker in wait.blockers} == {"holder"}
    assert all(indexes().values())


def test_vacuum_waits_for_its_lock_and_vacuum_full_retries_after_lock_timeouts(
    anywhere, monitor, holder, write, during_wait
) -> None:
    line = (
        write(1, TABLE),
        write(2, "vacuum a;", options=NON_TRANSACTIONAL),
        write(3, "vacuum full a;", options=NON_TRANSACTIONAL),
    )
    migrate(anywhere, line, to=1)
    holder.execute("lock table a in share update exclusive mode")
    observer = during_wait(lambda: None, lambda: None, holder.rollback)
    migrate(anywhere, line, to=2, options=Options(lock_timeout_ms=20), observer=observer)
    holder.execute(READER)

    with pytest.raises(LockTimeout, match="tries of 20 ms"):
        migrate(anywhere, line, options=Options(lock_timeout_ms=20, patience_ms=60))
    holder.rollback()
    migrate(anywhere, line)

    assert [row.version for row in ledger.applied(monitor)] == [1, 2, 3]


def test_a_build_cancelled_by_a_deadlock_is_repaired_and_retried(
    anywhere, monitor, holder, write, during_wait, indexes
) -> None:
    line = (write(1, TABLE), write(2, "create index concurrently a_y on a (y);", options=NON_TRANSACTIONAL))
    migrate(anywhere, line, to=1)
    monitor.execute(f"alter database {monitor.info.dbname} set deadlock_timeout = '500ms'")
    holder.execute("set deadlock_timeout = '1h'")
    holder.execute(WRITER)

    def deadlock() -> None:
        holder.pgconn.send_query(b"lock table a in share update exclusive mode")

    def release() -> None:
        while holder.pgconn.get_result() is not None:
            pass
        holder.rollback()

    observer = during_wait(deadlock)
    observer.before_retry = release

    (finished,) = migrate(anywhere, line, observer=observer)

    assert indexes() == {"a_pkey": True, "a_y": True}
    assert "retry" in {wait.reason for wait in observer.waits}
    assert finished.lock_wait_ms > 0


def test_the_phase_of_a_build_and_the_number_of_blocking_sessions_are_reported(
    anywhere, holder, write, during_wait
) -> None:
    line = (write(1, TABLE), write(2, "create index concurrently a_y on a (y);", options=NON_TRANSACTIONAL))
    migrate(anywhere, line, to=1)
    holder.execute(WRITER)
    observer = during_wait(lambda: None, holder.rollback)

    migrate(anywhere, line, observer=observer)

    phase = "create index concurrently: waiting for writers before build on public.a"
    assert observer.progress_reports[0] == Progress(phase, 0, 1, "sessions")


@pytest.mark.parametrize(
    ("statement", "phase"),
    [
        ("create index a_slow on a (slow(x))", "create index: building index: scanning table on public.a"),
        ("vacuum full a", "vacuum full: rebuilding index on public.a"),
        ("copy (select slow(x) from a) to program 'cat > /dev/null'", "copy to"),
    ],
)
def test_the_progress_of_a_transactional_statement_is_reported(
    anywhere, write, statement, phase, during_wait
) -> None:
    indexed = "create index a_slow on a (slow(x));" if "vacuum" in statement else ""
    options = NON_TRANSACTIONAL if "vacuum" in statement else ""
    line = (write(1, SLOW + indexed), write(2, f"{statement};", options=options))
    migrate(anywhere, line, to=1)
    observer = during_wait()

    migrate(anywhere, line, observer=observer)

    assert phase in {progress.phase for progress in observer.progress_reports}


def test_a_blocking_prepared_transaction_is_reported(write, during_wait) -> None:
    line = (write(1, TABLE), write(2, "create index concurrently a_y on a (y);", options=NON_TRANSACTIONAL))
    with throwaway("embedded", settings={"max_prepared_transactions": "2"}) as server:
        dsn = create_database(server).dsn
        with psycopg.connect(dsn, autocommit=True) as other:
            migrate(dsn, line, to=1)
            other.execute("begin")
            other.execute(WRITER)
            other.execute("prepare transaction 'forgotten'")
            observer = during_wait(lambda: other.execute("rollback prepared 'forgotten'"))

            migrate(dsn, line, observer=observer)

    blockers = {
        (wait.reason, str(blocker).partition(",")[0]) for wait in observer.waits for blocker in wait.blockers
    }
    assert blockers == {("transactions", "pid 0 (postgres"), ("lock", "pid 0 (postgres")}
    assert "end it with rollback prepared 'forgotten'" in str(observer.waits[0].blockers[0])
