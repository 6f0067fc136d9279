"""A run as a single transaction."""

from __future__ import annotations

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.errors import BadMigration, ConnectionLost, LockTimeout, SessionStateChanged, StatementFailed
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.observer import Observer
from aigym_db.migrate.options import Options
from aigym_db.migrate.rollback import rollback

WHOLE = Options(transaction="run", lock_timeout_ms=200)


@pytest.fixture
def line(write):
    """Three migrations; the last has additional statements."""

    def made(last: str = "", down: str = "", options: str = ""):
        return (
            write(1, "create table a (id int); insert into a values (1);", "drop table a;"),
            write(2, "set local search_path = pg_temp; create table public.b (id int);", "drop table b;"),
            write(3, f"create table c (id int); {last}", f"{down} drop table c;", options=options),
        )

    return made


def versions(connection) -> list[int]:
    return [row.version for row in ledger.applied(connection)]


def test_all_migrations_are_one_transaction_and_reported_after_its_commit(
    database, other, line, listener
) -> None:
    done = migrate(database, line(), options=WHOLE, observer=listener)

    assert [step.migration.version for step in done] == [1, 2, 3]
    assert all(step.duration_ms > 0 for step in done)
    rows = other.execute(
        "select count(*), count(distinct xmin::text) from aigym_db.event where kind = 'apply'"
    )
    assert rows.fetchone() == (3, 1)


def test_settings_of_one_file_do_not_reach_the_next(database, other, line) -> None:
    migrate(database, line(), options=WHOLE)

    made = (
        "select string_agg(relname, '' order by relname) from pg_class where relname in ('a', 'b', 'c') and "
    )
    assert other.execute(f"{made} relnamespace = 'public'::regnamespace").fetchone() == ("abc",)


def test_a_failure_in_the_last_file_rolls_back_the_run(database, other, line, listener) -> None:
    with pytest.raises(StatementFailed) as error:
        migrate(database, line("select 1 / 0;"), options=WHOLE, observer=listener)

    assert "0003 step_3" in error.value.message
    assert "division by zero. The run is one transaction" in error.value.message
    assert error.value.place.line == 3
    assert listener.done == []
    assert versions(other) == []
    assert other.execute("select to_regclass('a'), to_regclass('c')").fetchone() == (None, None)
    assert other.execute("select version from aigym_db.event where kind = 'fail'").fetchall() == [(3,)]


def test_a_rollback_is_one_transaction_too(database, other, line) -> None:
    migrate(database, line(down="select 1 / (select count(*) from a where id = 2);"), options=WHOLE)

    with pytest.raises(StatementFailed):
        rollback(
            database,
            line(down="select 1 / (select count(*) from a where id = 2);"),
            to=0,
            yes=True,
            options=WHOLE,
        )
    assert versions(other) == [1, 2, 3]

    other.execute("insert into a values (2)")
    rollback(
        database,
        line(down="select 1 / (select count(*) from a where id = 2);"),
        to=0,
        yes=True,
        options=WHOLE,
    )
    assert versions(other) == []


def test_a_lock_timeout_retries_the_whole_run(database, other, line, listener) -> None:
    other.execute("create table busy ()")
    with psycopg.connect(database) as reader:
        reader.execute("select from busy")
        listener.on_wait = lambda waiting: reader.rollback() if waiting.reason == "retry" else None

        migrate(database, line("alter table busy add x int;"), options=WHOLE, observer=listener)

    assert versions(other) == [1, 2, 3]
    assert all(step.lock_wait_ms >= 200 for step in listener.done)
    assert listener.begun == [1, 2, 3]
    assert other.execute("select count(*) from a").fetchone() == (1,)


def test_the_final_lock_timeout_rolls_back_the_run(database, other, line) -> None:
    other.execute("create table busy ()")
    with psycopg.connect(database) as reader:
        reader.execute("select from busy")
        with pytest.raises(LockTimeout):
            migrate(
                database,
                line("alter table busy add x int;"),
                options=Options(transaction="run", lock_timeout_ms=100, patience_ms=300),
            )
    assert versions(other) == []


def test_a_new_enum_value_used_by_a_later_file_needs_an_earlier_run(database, other, write) -> None:
    other.execute("create type mood as enum ('good'); create table a (mood mood)")
    line = (write(1, "alter type mood add value 'bad';"), write(2, "insert into a values ('bad');"))

    with pytest.raises(StatementFailed, match="unsafe use of new value") as error:
        migrate(database, line, options=WHOLE)

    assert "--to" in error.value.hint
    migrate(database, line, to=1, options=WHOLE)
    migrate(database, line, options=WHOLE)
    assert versions(other) == [1, 2]


def test_a_session_lost_in_the_middle_rolls_back_the_run(database, other, line) -> None:
    class Killer(Observer):
        def started(self, migration) -> None:
            if migration.version == 3:
                other.execute(
                    "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
                    "where state = 'idle in transaction' and application_name = 'aigym-db'"
                )

    with pytest.raises(ConnectionLost, match=r"Either all of .* are applied, or none"):
        migrate(database, line(), options=WHOLE, observer=Killer())
    assert versions(other) == []
    migrate(database, line(), options=WHOLE)
    assert versions(other) == [1, 2, 3]


def test_a_failing_observer_leaves_no_open_transaction(database, other, line) -> None:
    class Broken(Observer):
        def started(self, migration) -> None:
            assert migration.version < 2, "broken"

    with pytest.raises(AssertionError, match="broken"):
        migrate(database, line(), options=WHOLE, observer=Broken())
    assert versions(other) == []


def test_session_state_of_the_last_file_is_detected_after_the_commit(database, other, line) -> None:
    with pytest.raises(SessionStateChanged, match="advisory"):
        migrate(database, line("select pg_advisory_lock(1);"), options=WHOLE)
    assert versions(other) == [1, 2, 3]


def test_a_non_transactional_file_is_rejected_before_anything_is_sent(database, other, line) -> None:
    files = line(options=" transaction:false")
    with pytest.raises(BadMigration) as error:
        migrate(database, files, options=WHOLE)
    assert (error.value.place.line, error.value.place.file) == (2, "migrations/0003_step_3.sql")
    assert other.execute("select to_regclass('aigym_db.event')").fetchone() == (None,)

    migrate(database, files, to=2, options=WHOLE)
    migrate(database, files, options=WHOLE)
    assert versions(other) == [1, 2, 3]


@pytest.mark.parametrize("options", [WHOLE, Options()], ids=["run", "migration"])
def test_objects_in_use_by_the_session_itself_are_not_retried(database, write, options) -> None:
    keys = """
        create table p (id int primary key);
        create table k (id int references p deferrable initially deferred);
    """
    late = "insert into p values (1); insert into k values (1);"

    with pytest.raises(StatementFailed, match="pending trigger events") as error:
        migrate(database, (write(1, keys), write(2, f"{late} alter table k add x int;")), options=options)

    assert "Wait" not in error.value.hint
    assert "set constraints all immediate" in error.value.hint
    migrate(
        database,
        (write(1, keys), write(2, f"{late} set constraints all immediate; alter table k add x int;")),
        options=options,
    )
