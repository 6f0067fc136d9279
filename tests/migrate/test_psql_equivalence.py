"""A file has the same effect as its statements executed one by one by psql."""

from __future__ import annotations

import threading
from typing import Literal

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.errors import StatementFailed
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options
from tests.support.waiting import wait_for_row

WAITS = "select from pg_locks where not granted and relation = 'source'::regclass"


def applied(connection) -> list[int]:
    return [row.version for row in ledger.applied(connection)]


def test_a_table_locked_first_is_read_in_its_state_after_the_lock(database, other, write) -> None:
    other.execute("create table source (a int)")
    other.execute("create table target (a int)")
    text = (
        "set transaction isolation level repeatable read; lock table source in access exclusive mode; "
        "insert into target select a from source;"
    )
    with psycopg.connect(database) as writer:
        writer.execute("insert into source values (1)")
        runner = threading.Thread(target=migrate, args=(database, (write(1, text),)))
        runner.start()
        wait_for_row(other, WAITS)
        writer.commit()
        runner.join()

    assert other.execute("select a from target").fetchall() == [(1,)]


@pytest.mark.parametrize("level", ["repeatable read", "serializable", "read committed, read write"])
def test_a_file_can_set_the_isolation_level_of_its_transaction(database, other, write, level: str) -> None:
    text = f"set local statement_timeout = 0; set transaction isolation level {level}; create table a ();"

    migrate(database, (write(1, text), write(2, "create table b ();")))

    assert applied(other) == [1, 2]


@pytest.fixture
def owned(other, request):
    """A deferred constraint trigger that records its current_user."""
    other.execute("drop role if exists deferring_owner")
    other.execute("create role deferring_owner")
    request.addfinalizer(lambda: other.execute("drop owned by deferring_owner; drop role deferring_owner"))
    other.execute("grant create on schema public to deferring_owner")
    other.execute("create table watched (a int)")
    other.execute("create table seen (who text)")
    other.execute("grant all on watched, seen to deferring_owner")
    other.execute(
        "create function watch() returns trigger language plpgsql as "
        "$$ begin insert into seen values (current_user); return null; end $$"
    )
    other.execute(
        "create constraint trigger watch after insert on watched deferrable initially deferred "
        "for each row execute function watch()"
    )


@pytest.mark.parametrize("transaction", ["migration", "run"])
@pytest.mark.parametrize("options", ["", " transaction:false"])
def test_a_deferred_constraint_trigger_runs_as_the_owner(
    database, other, write, owned, transaction: Literal["migration", "run"], options: str
) -> None:
    files = (
        write(1, "insert into watched values (1);", options=options),
        *((write(2, "create table more ();"),) if not options else ()),
    )

    migrate(database, files, options=Options(owner="deferring_owner", transaction=transaction))

    assert other.execute("select who from seen").fetchall() == [("deferring_owner",)]


def test_a_failure_reports_only_warnings_of_the_file(database, write, listener) -> None:
    with pytest.raises(StatementFailed):
        migrate(
            database,
            (write(1, "create table a ();"), write(2, "select 1 / 0;")),
            options=Options(transaction="run"),
            observer=listener,
        )
    assert listener.notices == []
