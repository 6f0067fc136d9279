"""Catalog queries about non-transactional statements, and their events in the journal."""

from __future__ import annotations

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.errors import NameTaken, PartiallyApplied, StatementFailed
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options
from aigym_db.migrate.rollback import rollback
from aigym_db.migrate.session.migration_run import Run

NON_TRANSACTIONAL = " transaction:false"
NAMED = "create {} index concurrently if not exists a_idx on shop.a {};"
PARTITIONED = (
    "create table p (x int) partition by list (x); create table p1 partition of p for values in (1);"
)
CREATE_AND_DROP = {
    "create database new_object": ("create database new_object", "drop database new_object"),
    "create tablespace new_object location '/nowhere'": (
        "create tablespace new_object location ''",
        "drop tablespace new_object",
    ),
    "create subscription new_object connection 'host=/nowhere' publication p": (
        "create subscription new_object connection '' publication p with (connect = false, slot_name = none)",
        "drop subscription new_object",
    ),
}


def reject_events(connection: psycopg.Connection, kind: str) -> None:
    """Make the ledger reject one kind of event."""
    connection.execute(
        "create function reject_event() returns trigger language plpgsql as $$ begin "
        f"if new.kind = '{kind}' then raise disk_full; end if; return new; end $$; "
        "create trigger reject_event before insert on aigym_db.event "
        "for each row execute function reject_event()"
    )


def test_an_index_that_is_invalid_after_its_build_is_not_recorded_as_done(
    database, other, tables, write, shop_indexes
) -> None:
    other.execute(
        "create function spoil() returns event_trigger language plpgsql as $$ begin "
        "update pg_index set indisvalid = false where indexrelid = to_regclass('shop.a_idx'); end $$; "
        "create event trigger spoil on ddl_command_end when tag in ('CREATE INDEX') execute function spoil()"
    )
    line = (tables, write(2, NAMED.format("", "(x)"), options=NON_TRANSACTIONAL))

    with pytest.raises(PartiallyApplied, match=r"the index shop\.a_idx is INVALID"):
        migrate(database, line)

    other.execute("drop event trigger spoil")
    migrate(database, line)
    assert shop_indexes() == [("CREATE INDEX a_idx ON shop.a USING btree (x)", True)]


def test_a_concurrent_build_on_a_partitioned_table_is_rejected_with_a_hint(database, write) -> None:
    line = (
        write(1, PARTITIONED),
        write(2, "create index concurrently p_x on p (x);", options=NON_TRANSACTIONAL),
    )

    with pytest.raises(StatementFailed, match="partitioned table") as error:
        migrate(database, line)

    assert "`on only` the partitioned table" in error.value.hint


def test_a_concurrent_drop_of_a_partitioned_index_is_rejected_with_a_hint(database, write) -> None:
    line = (
        write(1, f"{PARTITIONED} create index p_x on p (x);"),
        write(2, "drop index concurrently p_x;", options=NON_TRANSACTIONAL),
    )

    with pytest.raises(StatementFailed, match="partitioned index") as error:
        migrate(database, line)

    assert "without `concurrently`" in error.value.hint


@pytest.mark.parametrize("statement", ["reindex table p", "reindex index p_x", "cluster p using p_x"])
def test_a_statement_on_a_partitioned_table_that_must_not_run_in_a_block_is_executed(
    database, other, write, statement: str
) -> None:
    line = (
        write(1, f"{PARTITIONED} create index p_x on p (x);"),
        write(2, f"{statement};", options=NON_TRANSACTIONAL),
    )

    migrate(database, line)

    kinds = "select kind::text from aigym_db.event where version = 2 order by id"
    assert other.execute(kinds).fetchall() == [("intent",), ("done",), ("apply",)]


def test_a_reindex_of_a_table_with_an_invalid_index_is_rejected(
    database, tables, write, shop_indexes, leave_invalid
) -> None:
    leave_invalid("create unique index concurrently a_idx on shop.a (x)")
    line = (tables, write(2, "reindex table concurrently shop.a;", options=NON_TRANSACTIONAL))

    with pytest.raises(NameTaken, match=r"shop.a_idx is INVALID, and PostgreSQL skips invalid indexes"):
        migrate(database, line)

    migrate(database, (tables, write(2, "reindex index concurrently shop.a_idx;", options=NON_TRANSACTIONAL)))
    assert shop_indexes() == [("CREATE UNIQUE INDEX a_idx ON shop.a USING btree (x)", True)]


def test_a_reindex_completed_before_the_runner_died_is_not_repeated(
    database, other, tables, write, shop_indexes, record_intent
) -> None:
    other.execute("create index a_idx on shop.a (x)")
    line = (tables, write(2, "reindex table concurrently shop.a;", options=NON_TRANSACTIONAL))
    oid = "select 'shop.a_idx'::regclass::oid::bigint"
    recorded = {"invalid": [], "indexes": list(other.execute(oid).fetchone())}
    record_intent(line[1], "reindex table concurrently shop.a", recorded)
    other.execute("reindex table concurrently shop.a")
    before = other.execute(oid).fetchone()

    migrate(database, line)

    outcome = other.execute("select detail ->> 'verdict' from aigym_db.event where kind = 'done'").fetchone()
    assert (other.execute(oid).fetchone(), outcome) == (before, ("every index was rebuilt",))


@pytest.mark.parametrize("statement", CREATE_AND_DROP)
def test_an_object_created_before_the_runner_died_is_not_created_again(
    database, other, write, record_intent, statement: str
) -> None:
    line = (write(1, "create schema app;"), write(2, f"{statement};", options=NON_TRANSACTIONAL))
    migrate(database, line, to=1)
    record_intent(line[1], statement, {"oid": None})
    create, drop = CREATE_AND_DROP[statement]
    other.execute("set allow_in_place_tablespaces = on")
    other.execute(create)

    try:
        migrate(database, line)
    finally:
        other.execute(drop)

    assert [row.version for row in ledger.applied(other)] == [1, 2]


def test_a_missing_object_is_created_and_an_existing_one_dropped(
    database, other, write, record_intent
) -> None:
    name = f"made_{other.info.backend_pid}"
    line = (
        write(1, "create schema app;"),
        write(
            2,
            f"create database {name};",
            f"drop database {name};",
            options=NON_TRANSACTIONAL,
            down_options=NON_TRANSACTIONAL,
        ),
    )
    exists = f"select count(*) from pg_database where datname = '{name}'"
    migrate(database, line, to=1)
    record_intent(line[1], f"create database {name}", {"oid": None})

    migrate(database, line)
    assert other.execute(exists).fetchone() == (1,)
    oid = other.execute(f"select oid::bigint from pg_database where datname = '{name}'").fetchone()[0]
    record_intent(line[1], f"drop database {name}", {"oid": oid}, "down")
    rollback(database, line, yes=True)

    assert other.execute(exists).fetchone() == (0,)


def test_an_object_dropped_before_the_runner_died_is_not_dropped_again(
    database, other, write, record_intent
) -> None:
    line = (
        write(1, "create schema app;"),
        write(2, "drop database missing_database;", options=NON_TRANSACTIONAL),
    )
    migrate(database, line, to=1)
    record_intent(line[1], "drop database missing_database", {"oid": 4})

    migrate(database, line)

    assert [row.version for row in ledger.applied(other)] == [1, 2]


def test_a_statement_without_an_effect_on_the_catalog_must_be_resolved_by_hand(
    database, write, record_intent
) -> None:
    line = (write(1, "create schema app;"), write(2, "call app.work();", options=NON_TRANSACTIONAL))
    migrate(database, line, to=1)
    record_intent(line[1], "call app.work()", {})

    with pytest.raises(
        PartiallyApplied, match="the catalog does not show whether the statement took effect"
    ) as error:
        migrate(database, line)

    assert error.value.detail == "It was: call app.work()"
    assert error.value.hint == (
        "Check how much of the statement took effect. Then run `aigym-db migrate --resolve done` if it "
        "took effect, or `aigym-db migrate --resolve again` to run it again from its beginning."
    )


def test_the_lock_timeout_of_the_marker_applies_to_non_transactional_files(database, other, write) -> None:
    block = "do $$ begin create table t as select current_setting('lock_timeout') as setting; commit; end $$;"

    migrate(database, (write(1, block, options=f"{NON_TRANSACTIONAL} lock_timeout:7s"),))

    assert other.execute("select setting from t").fetchone() == ("7s",)


@pytest.mark.parametrize(("kind", "subject"), [("done", "Statement 1"), ("apply", "Every statement")])
def test_a_completed_statement_missing_from_the_ledger_is_detected_by_the_next_run(
    database, other, tables, write, kind: str, subject: str
) -> None:
    line = (tables, write(2, "create index concurrently a_idx on shop.a (x);", options=NON_TRANSACTIONAL))
    reject_events(other, kind)

    with pytest.raises(
        PartiallyApplied, match=f"{subject} of 0002 step_2 is done, but the ledger could not be written"
    ):
        migrate(database, line)

    oid = other.execute("select 'shop.a_idx'::regclass::oid").fetchone()
    other.execute("drop trigger reject_event on aigym_db.event")
    migrate(database, line)
    assert other.execute("select 'shop.a_idx'::regclass::oid").fetchone() == oid
    assert [row.version for row in ledger.applied(other)] == [1, 2]


def test_a_statement_is_not_executed_if_its_intent_cannot_be_recorded(
    database, other, tables, write, shop_indexes
) -> None:
    reject_events(other, "intent")

    with pytest.raises(StatementFailed, match="disk_full"):
        migrate(
            database,
            (tables, write(2, "create index concurrently a_idx on shop.a (x);", options=NON_TRANSACTIONAL)),
        )

    assert shop_indexes() == []


def test_if_the_idle_connection_cannot_write_the_ledger_the_other_connection_does(
    database, other, tables, write, monkeypatch
) -> None:
    record = Run.record

    def fail_once_done(run: Run, event: ledger.Event) -> None:
        if event.kind == "done":
            raise psycopg.OperationalError("gone")
        record(run, event)

    monkeypatch.setattr(Run, "record", fail_once_done)

    migrate(
        database,
        (tables, write(2, "create index concurrently a_idx on shop.a (x);", options=NON_TRANSACTIONAL)),
    )

    kinds = "select kind::text from aigym_db.event where version = 2 order by id"
    assert other.execute(kinds).fetchall() == [("intent",), ("done",), ("apply",)]


def test_a_non_superuser_owner_can_repair_an_invalid_index(database, other, write) -> None:
    other.execute("create role plain_owner noinherit; create schema mine authorization plain_owner")
    owner = Options(owner="plain_owner")
    tables = write(1, "create table mine.a (x int); insert into mine.a values (1), (1);")
    line = (
        tables,
        write(2, "create unique index concurrently a_idx on mine.a (x);", options=NON_TRANSACTIONAL),
    )
    try:
        with pytest.raises(PartiallyApplied):
            migrate(database, line, options=owner)
        other.execute("delete from mine.a where ctid = '(0,1)'")

        migrate(database, line, options=owner)

        valid = "select indisvalid from pg_index where indexrelid = 'mine.a_idx'::regclass"
        assert other.execute(valid).fetchone() == (True,)
    finally:
        other.execute("drop owned by plain_owner; drop role plain_owner")


def test_an_error_in_a_later_statement_reports_where_the_next_run_resumes(
    database, other, tables, write
) -> None:
    other.execute("create table shop.a_idx ()")
    text = f"vacuum shop.a;\n{NAMED.format('', '(x)')}"

    with pytest.raises(
        PartiallyApplied, match=r"already exists and is a table\. This was statement 2 of 2"
    ) as error:
        migrate(database, (tables, write(2, text, options=NON_TRANSACTIONAL)))

    assert error.value.hint == "Give the new index another name. The next run resumes at statement 2."
