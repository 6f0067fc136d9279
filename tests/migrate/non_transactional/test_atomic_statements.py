"""Statements of a non-transactional file that are atomic, and blocks that commit."""

from __future__ import annotations

import pytest

from aigym_db.database import ledger
from aigym_db.errors import ConnectionLost, PartiallyApplied
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options

NON_TRANSACTIONAL = " transaction:false"
WRITER = "insert into a values (100)"
TABLE = (
    "create table a (x int primary key, y int); insert into a select i, i from generate_series(1, 50) as i;"
)
BLOCK = (
    "do $$ begin insert into a values (200); perform count(*) from a; {} lock table a in share mode; end $$;"
)


@pytest.mark.parametrize(
    "statement", ["alter type mood add value 'good'", "alter table a validate constraint positive"]
)
def test_a_statement_with_its_own_transaction_is_atomic(
    anywhere, monitor, holder, write, during_wait, terminate, statement: str
) -> None:
    text = (
        TABLE
        + "create type mood as enum ('bad'); alter table a add constraint positive check (x > 0) not valid;"
    )
    line = (write(1, text), write(2, f"{statement};\nlock table a;", options=NON_TRANSACTIONAL))
    migrate(anywhere, line, to=1)
    holder.execute(WRITER)

    with pytest.raises(PartiallyApplied):
        migrate(anywhere, line, observer=during_wait(terminate))
    holder.rollback()
    (finished,) = migrate(anywhere, line)

    assert finished.resumed_at == 2
    assert monitor.execute(
        "select enumlabel from pg_enum where enumlabel = 'good' union all "
        "select conname from pg_constraint where conname = 'positive' and convalidated"
    ).fetchall()


def test_an_interrupted_constraint_validation_is_repeated(
    anywhere, monitor, holder, write, during_wait, terminate
) -> None:
    text = TABLE + "alter table a add constraint positive check (x > 0) not valid;"
    line = (
        write(1, text),
        write(2, "alter table a validate constraint positive;", options=NON_TRANSACTIONAL),
    )
    migrate(anywhere, line, to=1)
    holder.execute("lock table a in share update exclusive mode")

    with pytest.raises(ConnectionLost):
        migrate(anywhere, line, observer=during_wait(terminate))

    validated = "select convalidated from pg_constraint where conname = 'positive'"
    assert monitor.execute(validated).fetchone() == (False,)
    holder.rollback()
    migrate(anywhere, line)
    assert monitor.execute(validated).fetchone() == (True,)


def test_a_block_without_commit_is_atomic(anywhere, monitor, holder, write, during_wait, terminate) -> None:
    line = (write(1, TABLE), write(2, BLOCK.format(""), options=NON_TRANSACTIONAL))
    migrate(anywhere, line, to=1)
    holder.execute(WRITER)

    with pytest.raises(ConnectionLost):
        migrate(anywhere, line, observer=during_wait(terminate))

    holder.rollback()
    migrate(anywhere, line)
    assert monitor.execute("select count(*) from a where x = 200").fetchone() == (1,)


def test_a_block_with_commit_is_not_repeated_without_confirmation(
    anywhere, monitor, holder, write, during_wait, interrupt
) -> None:
    line = (write(1, TABLE), write(2, BLOCK.format("commit;"), options=NON_TRANSACTIONAL))
    migrate(anywhere, line, to=1)
    holder.execute(WRITER)
    stop, expected = interrupt
    with pytest.raises(PartiallyApplied, match=expected) as error:
        migrate(anywhere, line, observer=during_wait(stop))
    holder.rollback()

    with pytest.raises(PartiallyApplied, match="does not show whether") as next_error:
        migrate(anywhere, line)

    assert "how much of statement 1 took effect" in error.value.hint
    assert "--resolve again" in next_error.value.hint
    migrate(anywhere, line, options=Options(resolve="done"))
    assert monitor.execute("select count(*) from a where x = 200").fetchone() == (1,)
    assert [row.version for row in ledger.applied(monitor)] == [1, 2]
