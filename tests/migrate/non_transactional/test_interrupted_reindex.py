"""Interrupted REINDEX CONCURRENTLY: its transient indexes are dropped, those of other sessions are kept."""

from __future__ import annotations

import psycopg
import pytest

from aigym_db.errors import PartiallyApplied
from aigym_db.migrate.apply import migrate

NON_TRANSACTIONAL = " transaction:false"
WRITER = "insert into a values (100)"
READER = "select count(*) from a"
TABLE = (
    "create table a (x int primary key, y int); insert into a select i, i from generate_series(1, 50) as i;"
)
REINDEXES = [
    "index concurrently a_y",
    "table concurrently a",
    "schema concurrently public",
    "(concurrently) table a",
]


@pytest.mark.parametrize("target", REINDEXES)
@pytest.mark.parametrize(
    ("holding", "suffix"), [(WRITER, "_ccnew"), (READER, "_ccold")], ids=["ccnew", "ccold"]
)
def test_transient_indexes_of_an_interrupted_reindex_are_dropped_and_the_indexes_rebuilt(
    anywhere, monitor, holder, write, during_wait, terminate, indexes, target: str, holding: str, suffix: str
) -> None:
    line = (
        write(1, TABLE + "create index a_y on a (y);"),
        write(2, f"reindex {target};", options=NON_TRANSACTIONAL),
    )
    migrate(anywhere, line, to=1)
    before = monitor.execute("select 'a_y'::regclass::oid::bigint").fetchone()
    holder.execute(holding)

    with pytest.raises(PartiallyApplied, match="connection to the server was lost"):
        migrate(anywhere, line, observer=during_wait(terminate))

    assert any(name.endswith(suffix) for name, usable in indexes().items() if not usable)
    holder.rollback()
    migrate(anywhere, line)
    assert indexes() == {"a_pkey": True, "a_y": True}
    assert monitor.execute("select 'a_y'::regclass::oid::bigint").fetchone() != before


def test_a_transient_index_with_a_truncated_name_is_recognised(
    anywhere, holder, write, during_wait, terminate, indexes
) -> None:
    name = "a" * 62
    line = (
        write(1, TABLE + f"create index {name} on a (y);"),
        write(2, f"reindex index concurrently {name};", options=NON_TRANSACTIONAL),
    )
    migrate(anywhere, line, to=1)
    holder.execute(WRITER)
    with pytest.raises(PartiallyApplied):
        migrate(anywhere, line, observer=during_wait(terminate))
    assert indexes() == {"a_pkey": True, name: True, "a" * 57 + "_ccnew": False}
    holder.rollback()

    migrate(anywhere, line)

    assert indexes() == {"a_pkey": True, name: True}


def test_a_transient_index_of_a_toast_table_is_recognised(
    anywhere, monitor, holder, write, during_wait, terminate
) -> None:
    text = "create table a (x text); insert into a values ('one');"
    line = (write(1, text), write(2, "reindex table concurrently a;", options=NON_TRANSACTIONAL))
    migrate(anywhere, line, to=1)
    holder.execute("insert into a values ('two')")
    with pytest.raises(PartiallyApplied):
        migrate(anywhere, line, observer=during_wait(terminate))
    invalid = "select count(*) from pg_index where not indisvalid"
    assert monitor.execute(invalid).fetchone() == (1,)
    holder.rollback()

    migrate(anywhere, line)

    assert monitor.execute(invalid).fetchone() == (0,)


def test_transient_indexes_of_another_session_are_kept(
    anywhere, holder, write, during_wait, terminate, indexes
) -> None:
    line = (
        write(1, TABLE + "create index a_y on a (y);"),
        write(2, "reindex index concurrently a_y;", options=NON_TRANSACTIONAL),
    )
    migrate(anywhere, line, to=1)
    holder.execute(WRITER)
    with psycopg.connect(anywhere, autocommit=True) as other:
        other.execute("set lock_timeout = 50")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute("reindex index concurrently a_y")
    with pytest.raises(PartiallyApplied):
        migrate(anywhere, line, observer=during_wait(terminate))
    assert indexes() == {"a_pkey": True, "a_y": True, "a_y_ccnew": False, "a_y_ccnew1": False}
    holder.rollback()

    migrate(anywhere, line)

    assert indexes() == {"a_pkey": True, "a_y": True, "a_y_ccnew": False}
