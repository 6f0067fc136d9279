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

OUTSIDE = " transaction:false"
NAMED = "create {} index concurrently if not exists a_idx on shop.a {};"
PARTITIONED = (
    "create table p (x int) partition by list (x); create table p1 partition of p for values in (1);"
)
MAKING = {
    "create database made_here": ("create database made_here", "drop database made_here"),
    "create tablespace made_here location '/nowhere'": (
        "create tablespace made_here location ''",
        "drop tablespace made_here",
    ),
    "create subscription made_here connection 'host=/nowhere' publication p": (
        "create subscription made_here connection '' publication p with (connect = false, slot_name = none)",
        "drop subscription made_here",
    ),
}


def deaf(connection: psycopg.Connection, kind: str) -> None:
    """Make the ledger reject one kind of event."""
    connection.execute(
        "create function deaf() returns trigger language plpgsql as $$ begin "
        f"if new.kind = '{kind}' then raise disk_full; end if; return new; end $$; "
        "create trigger deaf before insert on aigym_db.event for each row execute function deaf()"
    )


def test_an_index_that_is_not_valid_after_it_was_built_is_not_called_done(
    database, other, tables, write, built
) -> None:
    other.execute(
        "create function spoil() returns event_trigger language plpgsql as $$ begin "
        "update pg_index set indisvalid = false where indexrelid = to_regclass('shop.a_idx'); end $$; "
        "create event trigger spoil on ddl_command_end when tag in ('CREATE INDEX') execute function spoil()"
    )
    line = (tables, write(2, NAMED.format("", "(x)"), options=OUTSIDE))

    with pytest.raises(PartiallyApplied, match=r"the index shop\.a_idx is INVALID"):
        migrate(database, line)

    other.execute("drop event trigger spoil")
    migrate(database, line)
    assert built() == [("CREATE INDEX a_idx ON shop.a USING btree (x)", True)]


def test_building_on_a_partitioned_table_is_refused_with_the_way_to_do_it(database, write) -> None:
    line = (write(1, PARTITIONED), write(2, "create index concurrently p_x on p (x);", options=OUTSIDE))

    with pytest.raises(StatementFailed, match="partitioned table") as error:
        migrate(database, line)

    assert "`on only` the partitioned table" in error.value.hint


def test_dropping_the_index_of_a_partitioned_table_is_refused_with_the_way_to_do_it(database, write) -> None:
    line = (
        write(1, f"{PARTITIONED} create index p_x on p (x);"),
        write(2, "drop index concurrently p_x;", options=OUTSIDE),
    )

    with pytest.raises(StatementFailed, match="partitioned index") as error:
        migrate(database, line)

    assert "without `concurrently`" in error.value.hint


@pytest.mark.parametrize("statement", ["reindex table p", "reindex index p_x", "cluster p using p_x"])
def test_what_postgresql_takes_rejected_in_block_though_its_words_do_not_say_so_runs_outside(
    database, other, write, statement: str
) -> None:
    line = (
        write(1, f"{PARTITIONED} create index p_x on p (x);"),
        write(2, f"{statement};", options=OUTSIDE),
    )

    migrate(database, line)

    kinds = "select kind::text from aigym_db.event where version = 2 order by id"
    assert other.execute(kinds).fetchall() == [("intent",), ("done",), ("apply",)]


def test_a_reindex_that_would_leave_an_invalid_index_out_is_refused(
    database, tables, write, built, leave_invalid
) -> None:
    leave_invalid("create unique index concurrently a_idx on shop.a (x)")
    line = (tables, write(2, "reindex table concurrently shop.a;", options=OUTSIDE))

    with pytest.raises(NameTaken, match=r"shop.a_idx is INVALID, and PostgreSQL skips invalid indexes"):
        migrate(database, line)

    migrate(database, (tables, write(2, "reindex index concurrently shop.a_idx;", options=OUTSIDE)))
    assert built() == [("CREATE UNIQUE INDEX a_idx ON shop.a USING btree (x)", True)]


def test_a_reindex_that_was_done_before_the_runner_died_is_not_done_twice(
    database, other, tables, write, built, begun
) -> None:
    other.execute("create index a_idx on shop.a (x)")
    line = (tables, write(2, "reindex table concurrently shop.a;", options=OUTSIDE))
    oid = "select 'shop.a_idx'::regclass::oid::bigint"
    known = {"invalid": [], "indexes": list(other.execute(oid).fetchone())}
    begun(line[1], "reindex table concurrently shop.a", known)
    other.execute("reindex table concurrently shop.a")
    before = other.execute(oid).fetchone()

    migrate(database, line)

    toast = other.execute("select detail ->> 'settled' from aigym_db.event where kind = 'done'").fetchone()
    assert (other.execute(oid).fetchone(), toast) == (before, ("every index was rebuilt",))


@pytest.mark.parametrize("statement", MAKING)
def test_what_was_made_before_the_runner_died_is_not_made_again(
    database, other, write, begun, statement: str
) -> None:
    line = (write(1, "create schema app;"), write(2, f"{statement};", options=OUTSIDE))
    migrate(database, line, to=1)
    begun(line[1], statement, {"oid": None})
    make, drop = MAKING[statement]
    other.execute("set allow_in_place_tablespaces = on")
    other.execute(make)

    try:
        migrate(database, line)
    finally:
        other.execute(drop)

    assert [row.version for row in ledger.applied(other)] == [1, 2]


def test_what_was_not_made_yet_is_made_and_what_was_not_dropped_yet_is_dropped(
    database, other, write, begun
) -> None:
    name = f"made_{other.info.backend_pid}"
    line = (
        write(1, "create schema app;"),
        write(2, f"create database {name};", f"drop database {name};", options=OUTSIDE, down_options=OUTSIDE),
    )
    exists = f"select count(*) from pg_database where datname = '{name}'"
    migrate(database, line, to=1)
    begun(line[1], f"create database {name}", {"oid": None})

    migrate(database, line)
    assert other.execute(exists).fetchone() == (1,)
    oid = other.execute(f"select oid::bigint from pg_database where datname = '{name}'").fetchone()[0]
    begun(line[1], f"drop database {name}", {"oid": oid}, "down")
    rollback(database, line, yes=True)

    assert other.execute(exists).fetchone() == (0,)


def test_what_was_dropped_before_the_runner_died_is_not_dropped_again(database, other, write, begun) -> None:
    line = (write(1, "create schema app;"), write(2, "drop database gone_here;", options=OUTSIDE))
    migrate(database, line, to=1)
    begun(line[1], "drop database gone_here", {"oid": 4})

    migrate(database, line)

    assert [row.version for row in ledger.applied(other)] == [1, 2]


def test_a_statement_of_which_the_catalog_tells_nothing_asks_a_person_and_says_which(
    database, write, begun
) -> None:
    line = (write(1, "create schema app;"), write(2, "call app.work();", options=OUTSIDE))
    migrate(database, line, to=1)
    begun(line[1], "call app.work()", {})

    with pytest.raises(
        PartiallyApplied, match="the catalog does not show whether the statement took effect"
    ) as error:
        migrate(database, line)

    assert error.value.detail == "It was: call app.work()"
    assert error.value.hint == (
        "Check how much of the statement took effect. Then run `aigym-db migrate --resolve done` if it "
        "took effect, or `aigym-db migrate --resolve again` to run it again from its beginning."
    )


def test_the_lock_timeout_of_the_marker_holds_outside_a_transaction_too(database, other, write) -> None:
    block = (
        "do $$ begin create table seen as select current_setting('lock_timeout') as setting; commit; end $$;"
    )

    migrate(database, (write(1, block, options=f"{OUTSIDE} lock_timeout:7s"),))

    assert other.execute("select setting from seen").fetchone() == ("7s",)


@pytest.mark.parametrize(("kind", "what"), [("done", "Statement 1"), ("apply", "Every statement")])
def test_what_is_done_and_could_not_be_written_down_is_found_by_the_next_run(
    database, other, tables, write, kind: str, what: str
) -> None:
    line = (tables, write(2, "create index concurrently a_idx on shop.a (x);", options=OUTSIDE))
    deaf(other, kind)

    with pytest.raises(
        PartiallyApplied, match=f"{what} of 0002 step_2 is done, but the ledger could not be written"
    ):
        migrate(database, line)

    oid = other.execute("select 'shop.a_idx'::regclass::oid").fetchone()
    other.execute("drop trigger deaf on aigym_db.event")
    migrate(database, line)
    assert other.execute("select 'shop.a_idx'::regclass::oid").fetchone() == oid
    assert [row.version for row in ledger.applied(other)] == [1, 2]


def test_nothing_is_sent_that_could_not_be_announced(database, other, tables, write, built) -> None:
    deaf(other, "intent")

    with pytest.raises(StatementFailed, match="disk_full"):
        migrate(
            database, (tables, write(2, "create index concurrently a_idx on shop.a (x);", options=OUTSIDE))
        )

    assert built() == []


def test_when_the_idle_connection_cannot_tell_the_ledger_the_other_one_does(
    database, other, tables, write, monkeypatch
) -> None:
    written = Run.record

    def event(run: Run, event: ledger.Event) -> None:
        if event.kind == "done":
            raise psycopg.OperationalError("gone")
        written(run, event)

    monkeypatch.setattr(Run, "record", event)

    migrate(database, (tables, write(2, "create index concurrently a_idx on shop.a (x);", options=OUTSIDE)))

    kinds = "select kind::text from aigym_db.event where version = 2 order by id"
    assert other.execute(kinds).fetchall() == [("intent",), ("done",), ("apply",)]


def test_the_owner_of_the_tables_repairs_without_being_anybody_special(database, other, write) -> None:
    other.execute("create role probes_owner noinherit; create schema mine authorization probes_owner")
    owner = Options(owner="probes_owner")
    tables = write(1, "create table mine.a (x int); insert into mine.a values (1), (1);")
    line = (tables, write(2, "create unique index concurrently a_idx on mine.a (x);", options=OUTSIDE))
    try:
        with pytest.raises(PartiallyApplied):
            migrate(database, line, options=owner)
        other.execute("delete from mine.a where ctid = '(0,1)'")

        migrate(database, line, options=owner)

        valid = "select indisvalid from pg_index where indexrelid = 'mine.a_idx'::regclass"
        assert other.execute(valid).fetchone() == (True,)
    finally:
        other.execute("drop owned by probes_owner; drop role probes_owner")


def test_a_later_statement_that_is_refused_says_what_to_do_and_where_a_new_run_goes_on(
    database, other, tables, write
) -> None:
    other.execute("create table shop.a_idx ()")
    text = f"vacuum shop.a;\n{NAMED.format('', '(x)')}"

    with pytest.raises(
        PartiallyApplied, match=r"already exists and is a table\. This was statement 2 of 2"
    ) as error:
        migrate(database, (tables, write(2, text, options=OUTSIDE)))

    assert error.value.hint == "Give the new index another name. The next run resumes at statement 2."
