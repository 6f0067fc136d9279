"""Long statements: they wait without a lock timeout and report blocking sessions and progress."""

from __future__ import annotations

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.database.servers import create_database, throwaway
from aigym_db.errors import LockTimeout
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.observer import Progress
from aigym_db.migrate.options import Options

OUTSIDE = " transaction:false"
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
def test_a_concurrent_statement_outwaits_a_transaction_and_says_whose_it_is(
    anywhere, holder, write, scene, indexes, statement: str
) -> None:
    line = (write(1, TABLE + "create index a_y on a (y);"), write(2, f"{statement};", options=OUTSIDE))
    migrate(anywhere, line, to=1)
    holder.execute(WRITER)
    look = lambda: None  # noqa: E731
    heard = scene(look, look, holder.rollback)

    migrate(anywhere, line, options=Options(lock_timeout_ms=20, patience_ms=50), observer=heard)

    assert {blocker.application for wait in heard.waits for blocker in wait.blockers} == {"holder"}
    assert all(indexes().values())


def test_a_vacuum_outwaits_another_one_and_a_full_one_gives_up_and_tries_again(
    anywhere, seen, holder, write, scene
) -> None:
    line = (
        write(1, TABLE),
        write(2, "vacuum a;", options=OUTSIDE),
        write(3, "vacuum full a;", options=OUTSIDE),
    )
    migrate(anywhere, line, to=1)
    holder.execute("lock table a in share update exclusive mode")
    heard = scene(lambda: None, lambda: None, holder.rollback)
    migrate(anywhere, line, to=2, options=Options(lock_timeout_ms=20), observer=heard)
    holder.execute(READER)

    with pytest.raises(LockTimeout, match="tries of 20 ms"):
        migrate(anywhere, line, options=Options(lock_timeout_ms=20, patience_ms=60))
    holder.rollback()
    migrate(anywhere, line)

    assert [row.version for row in ledger.applied(seen)] == [1, 2, 3]


def test_a_build_that_a_deadlock_ended_is_repaired_and_tried_again(
    anywhere, seen, holder, write, scene, indexes
) -> None:
    line = (write(1, TABLE), write(2, "create index concurrently a_y on a (y);", options=OUTSIDE))
    migrate(anywhere, line, to=1)
    seen.execute(f"alter database {seen.info.dbname} set deadlock_timeout = '500ms'")
    holder.execute("set deadlock_timeout = '1h'")
    holder.execute(WRITER)

    def cross() -> None:
        holder.pgconn.send_query(b"lock table a in share update exclusive mode")

    def give_way() -> None:
        while holder.pgconn.get_result() is not None:
            pass
        holder.rollback()

    heard = scene(cross)
    heard.retrying = give_way

    (finished,) = migrate(anywhere, line, observer=heard)

    assert indexes() == {"a_pkey": True, "a_y": True}
    assert "retry" in {wait.reason for wait in heard.waits}
    assert finished.lock_wait_ms > 0


def test_how_far_a_build_is_and_for_how_many_it_waits_is_told(anywhere, holder, write, scene) -> None:
    line = (write(1, TABLE), write(2, "create index concurrently a_y on a (y);", options=OUTSIDE))
    migrate(anywhere, line, to=1)
    holder.execute(WRITER)
    heard = scene(lambda: None, holder.rollback)

    migrate(anywhere, line, observer=heard)

    phase = "create index concurrently: waiting for writers before build on public.a"
    assert heard.made[0] == Progress(phase, 0, 1, "sessions")


@pytest.mark.parametrize(
    ("statement", "phase"),
    [
        ("create index a_slow on a (slow(x))", "create index: building index: scanning table on public.a"),
        ("vacuum full a", "vacuum full: rebuilding index on public.a"),
        ("copy (select slow(x) from a) to program 'cat > /dev/null'", "copy to"),
    ],
)
def test_how_far_a_statement_is_is_told_inside_a_transaction_too(
    anywhere, write, statement, phase, scene
) -> None:
    indexed = "create index a_slow on a (slow(x));" if "vacuum" in statement else ""
    options = OUTSIDE if "vacuum" in statement else ""
    line = (write(1, SLOW + indexed), write(2, f"{statement};", options=options))
    migrate(anywhere, line, to=1)
    heard = scene()

    migrate(anywhere, line, observer=heard)

    assert phase in {made.phase for made in heard.made}


def test_a_prepared_transaction_that_has_no_session_is_named_too(write, scene) -> None:
    line = (write(1, TABLE), write(2, "create index concurrently a_y on a (y);", options=OUTSIDE))
    with throwaway("embedded", settings={"max_prepared_transactions": "2"}) as server:
        dsn = create_database(server).dsn
        with psycopg.connect(dsn, autocommit=True) as other:
            migrate(dsn, line, to=1)
            other.execute("begin")
            other.execute(WRITER)
            other.execute("prepare transaction 'forgotten'")
            heard = scene(lambda: other.execute("rollback prepared 'forgotten'"))

            migrate(dsn, line, observer=heard)

    blockers = {
        (wait.reason, str(blocker).partition(",")[0]) for wait in heard.waits for blocker in wait.blockers
    }
    assert blockers == {("transactions", "pid 0 (postgres"), ("lock", "pid 0 (postgres")}
    assert "end it with rollback prepared 'forgotten'" in str(heard.waits[0].blockers[0])
