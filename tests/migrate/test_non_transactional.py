"""Non-transactional migrations (`transaction:false`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.errors import NameTaken, PartiallyApplied, StatementFailed
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options
from aigym_db.migrate.rollback import rollback

NON_TRANSACTIONAL = " transaction:false"
BUILD = "create unique index concurrently a_x_idx on a (x);"


@pytest.fixture
def table(write):
    return write(1, "create table a (x int); insert into a values (1), (2);")


def index(connection) -> str:
    row = connection.execute(
        "select indisvalid and indisready from pg_index where indexrelid = to_regclass('public.a_x_idx')"
    ).fetchone()
    return "none" if row is None else "valid" if row[0] else "invalid"


def record_event(connection, migration, kind, statement, sql, detail=None, direction="up") -> None:
    """Record the event of a runner killed at this point."""
    event = ledger.Event(
        kind,
        migration.version,
        migration.name,
        ledger.checksum(migration),
        direction,
        statement,
        sql,
        detail or {},
    )
    ledger.record(connection, event)


def test_every_statement_is_recorded_in_the_journal(database, other, table, write) -> None:
    built = write(2, f"{BUILD}\ninsert into a values (3);\nvacuum a;", options=NON_TRANSACTIONAL)

    migrate(database, (table, built))

    rows = other.execute(
        "select kind::text, statement from aigym_db.event where version = 2 order by id"
    ).fetchall()
    assert index(other) == "valid"
    assert rows == [
        ("intent", 1),
        ("done", 1),
        ("done", 2),
        ("intent", 3),
        ("done", 3),
        ("apply", None),
    ]


def test_a_failed_unique_index_is_dropped_and_rebuilt_by_the_next_run(database, other, table, write) -> None:
    line = (table, write(2, BUILD, options=NON_TRANSACTIONAL))
    migrate(database, line, to=1)
    other.execute("insert into a values (1)")

    with pytest.raises(PartiallyApplied, match="could not create unique index") as error:
        migrate(database, line)

    assert (index(other), error.value.exit_status) == ("invalid", 7)
    other.execute("delete from a where ctid in (select max(ctid) from a where x = 1)")
    (finished,) = migrate(database, line)
    assert (index(other), finished.resumed_at) == ("valid", 1)


def test_an_invalid_index_of_another_session_is_not_accepted(database, other, table, write) -> None:
    migrate(database, (table,))
    other.execute("insert into a values (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        other.execute(BUILD)
    other.execute("delete from a where ctid in (select max(ctid) from a where x = 1)")

    text = BUILD.replace("concurrently", "concurrently if not exists")
    migrate(database, (table, write(2, text, options=NON_TRANSACTIONAL)))

    assert index(other) == "valid"


def test_a_run_resumes_at_the_first_statement_not_done(database, other, table, write) -> None:
    line = (
        table,
        write(2, "insert into a values (10);\ninsert into nowhere values (1);", options=NON_TRANSACTIONAL),
    )

    with pytest.raises(PartiallyApplied, match="statement 2 of 2"):
        migrate(database, line)
    other.execute("create table nowhere (x int)")
    (finished,) = migrate(database, line)

    assert finished.resumed_at == 2
    assert other.execute("select count(*) from a where x = 10").fetchone() == (1,)


def test_a_failed_statement_may_be_edited(database, other, table, write) -> None:
    with pytest.raises(PartiallyApplied):
        migrate(
            database,
            (
                table,
                write(
                    2, "insert into a values (10);\ninsert into nope values (1);", options=NON_TRANSACTIONAL
                ),
            ),
        )

    migrate(
        database,
        (
            table,
            write(2, "insert into a values (10);\ninsert into a values (11);", options=NON_TRANSACTIONAL),
        ),
    )

    assert other.execute("select count(*) from a where x >= 10").fetchone() == (2,)


def test_an_executed_statement_may_not_be_edited(database, other, table, write) -> None:
    with pytest.raises(PartiallyApplied):
        migrate(
            database,
            (
                table,
                write(
                    2, "insert into a values (10);\ninsert into nope values (1);", options=NON_TRANSACTIONAL
                ),
            ),
        )

    with pytest.raises(PartiallyApplied, match="has already been run") as error:
        migrate(
            database, (table, write(2, "insert into a values (12);\nselect 1;", options=NON_TRANSACTIONAL))
        )

    assert "insert into a values (10)" in error.value.detail
    assert other.execute("select count(*) from a where x = 12").fetchone() == (0,)


def test_a_failed_first_statement_is_not_a_partial_application(database, table, write) -> None:
    with pytest.raises(StatementFailed):
        migrate(
            database, (table, write(2, "insert into nope values (1);\nvacuum a;", options=NON_TRANSACTIONAL))
        )


def test_an_index_built_before_the_interruption_is_not_rebuilt(database, other, table, write) -> None:
    line = (table, write(2, BUILD, options=NON_TRANSACTIONAL))
    migrate(database, line, to=1)
    record_event(other, line[1], "intent", 1, BUILD.rstrip(";"), {"index": None})
    other.execute(BUILD)
    before = other.execute("select 'a_x_idx'::regclass::oid::bigint").fetchone()

    migrate(database, line)

    assert other.execute("select 'a_x_idx'::regclass::oid::bigint").fetchone() == before
    assert [row.version for row in ledger.applied(other)] == [1, 2]


def test_a_valid_index_from_before_the_run_is_not_accepted(database, other, table, write) -> None:
    line = (table, write(2, BUILD, options=NON_TRANSACTIONAL))
    migrate(database, line, to=1)
    other.execute("create index a_x_idx on a (x)")
    oid = other.execute("select 'a_x_idx'::regclass::oid::bigint").fetchone()[0]
    record_event(other, line[1], "intent", 1, BUILD.rstrip(";"), {"index": oid})

    with pytest.raises(NameTaken, match="already exists with another definition"):
        migrate(database, line)


@pytest.mark.parametrize("gone", [True, False])
def test_an_interrupted_drop_resumes_according_to_the_catalog(
    database, other, table, write, gone: bool
) -> None:
    drop = "drop index concurrently a_x_idx"
    line = (table, write(2, f"{drop};", options=NON_TRANSACTIONAL))
    migrate(database, line, to=1)
    other.execute("select 1" if gone else "create index a_x_idx on a (x)")
    record_event(other, line[1], "intent", 1, drop)

    migrate(database, line)

    assert index(other) == "none"


def test_an_interrupted_vacuum_is_run_again(database, other, table, write) -> None:
    line = (table, write(2, "vacuum a;", options=NON_TRANSACTIONAL))
    migrate(database, line, to=1)
    record_event(other, line[1], "intent", 1, "vacuum a")

    migrate(database, line)

    assert [row.version for row in ledger.applied(other)] == [1, 2]


@pytest.mark.parametrize(("resolve", "rows"), [("done", 0), ("again", 1)])
def test_a_statement_without_a_catalog_query_is_resolved_manually(
    database, other, table, write, resolve: Any, rows: int
) -> None:
    block = "do $$ begin insert into a values (10); commit; end $$"
    line = (table, write(2, f"{block};", options=NON_TRANSACTIONAL))
    migrate(database, line, to=1)
    record_event(other, line[1], "intent", 1, block)

    with pytest.raises(PartiallyApplied, match="does not show whether") as error:
        migrate(database, line)

    assert (error.value.exit_status, "--resolve" in error.value.hint) == (7, True)
    with pytest.raises(PartiallyApplied):
        migrate(database, line)
    migrate(database, line, options=replace(Options(), resolve=resolve))
    assert other.execute("select count(*) from a where x = 10").fetchone() == (rows,)


@pytest.mark.parametrize("state", ["attached", "pending", "detached"])
def test_an_interrupted_detach_is_completed_from_any_state(database, other, write, state: str) -> None:
    detach = "alter table p detach partition p1 concurrently"
    line = (
        write(
            1,
            "create table p (x int) partition by list (x); create table p1 partition of p for values in (1);",
        ),
        write(2, f"{detach};", options=NON_TRANSACTIONAL),
    )
    migrate(database, line, to=1)
    prepare = {
        "attached": "select 1",
        "pending": "update pg_inherits set inhdetachpending = true where inhrelid = 'p1'::regclass",
        "detached": "alter table p detach partition p1",
    }
    other.execute(prepare[state])
    record_event(other, line[1], "intent", 1, detach)

    migrate(database, line)

    assert other.execute("select count(*) from pg_inherits where inhrelid = 'p1'::regclass").fetchone() == (
        0,
    )


def test_a_block_may_commit(database, other, table, write) -> None:
    block = "do $$ begin for i in 10..12 loop insert into a values (i); commit; end loop; end $$;"

    migrate(database, (table, write(2, block, options=NON_TRANSACTIONAL)))

    assert other.execute("select count(*) from a where x >= 10").fetchone() == (3,)


def test_a_rollback_is_journalled(database, other, table, write) -> None:
    line = (
        table,
        write(
            2,
            BUILD,
            "drop index concurrently a_x_idx;",
            options=NON_TRANSACTIONAL,
            down_options=NON_TRANSACTIONAL,
        ),
    )
    migrate(database, line)
    record_event(other, line[1], "intent", 1, "drop index concurrently a_x_idx", direction="down")
    other.execute("drop index a_x_idx")

    rollback(database, line)
    migrate(database, line)

    assert index(other) == "valid"


def test_objects_belong_to_the_owner_and_events_to_the_connected_role(database, other, write) -> None:
    other.execute("create role outside_owner; grant create on schema public to outside_owner")
    line = (
        write(1, "create table a (x int);"),
        write(
            2,
            "create table b ();\nvacuum a;\ncreate index concurrently a_x_idx on a (x);",
            options=NON_TRANSACTIONAL,
        ),
    )

    try:
        migrate(database, line, options=Options(owner="outside_owner"))

        owner = "select distinct relowner::regrole::text from pg_class where relname in ('a', 'b', 'a_x_idx')"
        assert other.execute(owner).fetchall() == [("outside_owner",)]
        assert other.execute("select distinct who from aigym_db.event").fetchall() == [("postgres",)]
    finally:
        other.execute("drop owned by outside_owner; drop role outside_owner")


def test_transactions_that_block_a_concurrent_build_are_reported(
    database, other, table, write, listener
) -> None:
    line = (table, write(2, "create index concurrently a_x_idx on a (x);", options=NON_TRANSACTIONAL))
    migrate(database, line, to=1)
    with psycopg.connect(database, application_name="old reader") as reader:
        reader.execute("set transaction isolation level repeatable read")
        reader.execute("select * from a")
        listener.on_wait = lambda waiting: reader.rollback()

        migrate(database, line, observer=listener)

    assert listener.waits[0].reason == "lock"
    assert listener.waits[0].blockers[0].application == "old reader"
    assert index(other) == "valid"


def test_a_concurrent_build_waits_for_a_writer_without_a_lock_timeout(
    database, other, table, write, listener
) -> None:
    line = (table, write(2, BUILD, options=NON_TRANSACTIONAL))
    migrate(database, line, to=1)
    with psycopg.connect(database) as writer:
        writer.execute("insert into a values (50)")
        listener.on_wait = lambda waiting: writer.rollback() if waiting.waited_s > 0.3 else None

        migrate(database, line, options=Options(lock_timeout_ms=50), observer=listener)

    assert index(other) == "valid"


def test_a_block_with_an_unknown_outcome_is_not_recorded_as_failed(database, table, write) -> None:
    block = "do $$ begin commit; perform pg_terminate_backend(pg_backend_pid()); end $$;"
    line = (table, write(2, block, options=NON_TRANSACTIONAL))
    with pytest.raises(PartiallyApplied, match="connection to the server was lost"):
        migrate(database, line)

    with pytest.raises(PartiallyApplied, match="does not show whether"):
        migrate(database, line)
