"""Interrupted statements: the next run reads their outcome from the catalog and converges."""

from __future__ import annotations

import os
import signal

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.errors import Interrupted, PartiallyApplied, StatementFailed
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.rollback import rollback

NON_TRANSACTIONAL = " transaction:false"
WRITER = "insert into a values (100)"
READER = "select count(*) from a"
SNAPSHOT = "set transaction isolation level repeatable read; select 1"
TABLE = (
    "create table a (x int primary key, y int); insert into a select i, i from generate_series(1, 50) as i;"
)
PARTITIONS = "create table a (x int) partition by list (x); create table a1 partition of a for values in (1);"
DETACH_PENDING = "select inhdetachpending from pg_inherits where inhrelid = 'a1'::regclass"


@pytest.mark.parametrize("holding", [WRITER, SNAPSHOT], ids=["blocked by a writer", "blocked by a snapshot"])
@pytest.mark.parametrize("unique", ["", "unique "])
def test_the_invalid_index_of_an_interrupted_build_is_dropped_and_built_again(
    anywhere, holder, write, during_wait, indexes, interrupt, unique: str, holding: str
) -> None:
    line = (
        write(1, TABLE),
        write(2, f"create {unique}index concurrently a_y on a (y);", options=NON_TRANSACTIONAL),
    )
    migrate(anywhere, line, to=1)
    holder.execute(holding)
    stop, expected = interrupt

    with pytest.raises(PartiallyApplied, match=expected):
        migrate(anywhere, line, observer=during_wait(stop))

    assert indexes() == {"a_pkey": True, "a_y": False}
    holder.rollback()
    observer = during_wait()
    migrate(anywhere, line, observer=observer)
    assert indexes() == {"a_pkey": True, "a_y": True}
    assert observer.notices[0] == (
        "the index public.a_y is INVALID; repairing with `drop index concurrently public.a_y`"
    )


def test_an_interrupted_concurrent_drop_is_repeated(
    anywhere, holder, write, during_wait, indexes, interrupt
) -> None:
    line = (
        write(1, TABLE + "create index a_y on a (y);"),
        write(2, "drop index concurrently a_y;", options=NON_TRANSACTIONAL),
    )
    migrate(anywhere, line, to=1)
    holder.execute(READER)
    stop, expected = interrupt

    with pytest.raises(PartiallyApplied, match=expected):
        migrate(anywhere, line, observer=during_wait(stop))

    assert indexes() == {"a_pkey": True, "a_y": False}
    holder.rollback()
    migrate(anywhere, line)
    assert indexes() == {"a_pkey": True}


def test_a_concurrent_drop_interrupted_after_the_index_is_dead_is_completed(
    anywhere, monitor, holder, write, during_wait, terminate, indexes
) -> None:
    line = (
        write(1, TABLE + "create index a_y on a (y);"),
        write(2, "drop index concurrently a_y;", options=NON_TRANSACTIONAL),
    )
    migrate(anywhere, line, to=1)
    holder.execute(READER)
    with psycopg.connect(anywhere) as second_reader:

        def hand_over() -> None:
            second_reader.execute(READER)
            holder.rollback()

        with pytest.raises(PartiallyApplied):
            migrate(anywhere, line, observer=during_wait(hand_over, terminate))

        state = "select indislive from pg_index where indexrelid = 'a_y'::regclass"
        assert monitor.execute(state).fetchone() == (False,)
    migrate(anywhere, line)
    assert indexes() == {"a_pkey": True}


def test_an_interrupted_repair_is_repeated(anywhere, holder, write, during_wait, terminate, indexes) -> None:
    line = (write(1, TABLE), write(2, "create index concurrently a_y on a (y);", options=NON_TRANSACTIONAL))
    migrate(anywhere, line, to=1)
    holder.execute(WRITER)
    with pytest.raises(PartiallyApplied):
        migrate(anywhere, line, observer=during_wait(terminate))

    with pytest.raises(PartiallyApplied):
        migrate(anywhere, line, observer=during_wait(terminate))

    assert indexes() == {"a_pkey": True, "a_y": False}
    holder.rollback()
    migrate(anywhere, line)
    assert indexes() == {"a_pkey": True, "a_y": True}


def test_an_interrupted_vacuum_is_repeated(anywhere, monitor, holder, write, during_wait, terminate) -> None:
    line = (write(1, TABLE), write(2, "vacuum a;", options=NON_TRANSACTIONAL))
    migrate(anywhere, line, to=1)
    holder.execute("lock table a in share update exclusive mode")
    with pytest.raises(PartiallyApplied):
        migrate(anywhere, line, observer=during_wait(terminate))
    holder.rollback()

    migrate(anywhere, line)

    assert [row.version for row in ledger.applied(monitor)] == [1, 2]


def test_an_interrupted_detach_is_completed(anywhere, monitor, holder, write, during_wait, terminate) -> None:
    line = (
        write(1, PARTITIONS),
        write(2, "alter table a detach partition a1 concurrently;", options=NON_TRANSACTIONAL),
    )
    migrate(anywhere, line, to=1)
    holder.execute(READER)

    with pytest.raises(PartiallyApplied):
        migrate(anywhere, line, observer=during_wait(terminate))

    assert monitor.execute(DETACH_PENDING).fetchone() == (True,)
    holder.rollback()
    migrate(anywhere, line)
    assert monitor.execute(DETACH_PENDING).fetchone() is None


def test_a_pending_detach_cannot_be_replaced_by_another_statement(
    anywhere, holder, write, during_wait, terminate
) -> None:
    tables = write(1, PARTITIONS)
    migrate(anywhere, (tables,))
    holder.execute(READER)
    detach = write(2, "alter table a detach partition a1 concurrently;", options=NON_TRANSACTIONAL)
    with pytest.raises(PartiallyApplied):
        migrate(anywhere, (tables, detach), observer=during_wait(terminate))
    holder.rollback()

    with pytest.raises(PartiallyApplied, match="with another text: a1 is partially detached") as error:
        migrate(anywhere, (tables, write(2, "vacuum a;", options=NON_TRANSACTIONAL)))

    assert '`alter table "a" detach partition "a1" finalize`' in error.value.hint


def test_an_interrupted_rollback_is_resumed(
    anywhere, monitor, holder, write, during_wait, terminate, indexes
) -> None:
    line = (
        write(1, TABLE),
        write(
            2,
            "create index concurrently a_y on a (y);",
            "drop index concurrently a_y;",
            options=NON_TRANSACTIONAL,
            down_options=NON_TRANSACTIONAL,
        ),
    )
    migrate(anywhere, line)
    holder.execute(READER)

    with pytest.raises(PartiallyApplied):
        rollback(anywhere, line, observer=during_wait(terminate))

    assert indexes() == {"a_pkey": True, "a_y": False}
    assert [row.version for row in ledger.applied(monitor)] == [1, 2]
    holder.rollback()
    rollback(anywhere, line)
    assert indexes() == {"a_pkey": True}
    assert [row.version for row in ledger.applied(monitor)] == [1]


def test_a_signal_cancels_a_waiting_build_and_reports_the_invalid_index(
    anywhere, holder, write, during_wait, indexes
) -> None:
    line = (write(1, TABLE), write(2, "create index concurrently a_y on a (y);", options=NON_TRANSACTIONAL))
    migrate(anywhere, line, to=1)
    holder.execute(WRITER)

    with pytest.raises(Interrupted, match="Stopped by SIGTERM") as error:
        migrate(anywhere, line, observer=during_wait(lambda: os.kill(os.getpid(), signal.SIGTERM)))

    assert (
        "Remaining effect: the index public.a_y is INVALID; the next run repairs this." in error.value.detail
    )
    holder.rollback()
    migrate(anywhere, line)
    assert indexes() == {"a_pkey": True, "a_y": True}


def test_a_build_that_fails_without_any_effect_is_not_partially_applied(anywhere, write) -> None:
    line = (write(1, TABLE), write(2, "create index concurrently a_z on a (z);", options=NON_TRANSACTIONAL))

    with pytest.raises(StatementFailed, match='column "z" does not exist'):
        migrate(anywhere, line)
