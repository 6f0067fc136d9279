"""Isolation of the files of a single-transaction run."""

from __future__ import annotations

import pytest

from aigym_db.database import ledger
from aigym_db.errors import SessionStateChanged, StatementFailed
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options

WHOLE = Options(transaction="run")
KEYS = """
create table p (id int primary key);
create table k (id int references p deferrable initially deferred);
"""


def test_a_temporary_table_does_not_receive_the_rows_of_the_next_file(database, other, write) -> None:
    line = (
        write(1, "create table stage (x int);"),
        write(2, "create temp table stage on commit drop as select 1 as x;"),
        write(3, "insert into stage values (42); create table copied as select * from stage;"),
    )

    migrate(database, line, options=WHOLE)

    assert other.execute("select array(select x from stage), x from copied").fetchall() == [([42], 42)]


@pytest.mark.parametrize(
    "left",
    [
        "create temp view a as select 1 as x;",
        "create temp sequence a;",
        "create temp table other on commit drop as select 1; declare c cursor for table other; fetch c;",
        "do $$ begin create temp table a (x text); end $$;",
    ],
)
def test_no_temporary_object_shadows_a_table(database, other, write, left: str) -> None:
    line = (write(1, "create table a (x int);"), write(2, left), write(3, "insert into a values (42);"))

    migrate(database, line, options=WHOLE)

    assert other.execute("select x from a").fetchall() == [(42,)]


def test_an_open_cursor_does_not_block_the_next_file(database, other, write) -> None:
    line = (
        write(1, "create table a (x int);"),
        write(2, "declare c cursor for table a; fetch c;"),
        write(3, "alter table a add y int;"),
    )

    migrate(database, line, options=WHOLE)

    assert len(ledger.applied(other)) == 3


def test_deferred_triggers_run_at_the_end_of_their_file(database, other, write) -> None:
    line = (
        write(1, KEYS),
        write(2, "insert into k values (1); insert into p values (1);"),
        write(3, "alter table k add x int;"),
        write(4, "insert into k values (2); insert into p values (2);"),
    )

    migrate(database, line, options=WHOLE)

    assert other.execute("select array(select id from k order by id)").fetchone() == ([1, 2],)


def test_constraints_deferred_by_one_file_are_immediate_in_the_next(database, write) -> None:
    immediate = KEYS.replace("initially deferred", "initially immediate")
    line = (
        write(1, immediate),
        write(2, "set constraints all deferred; insert into k values (1); insert into p values (1);"),
        write(3, "insert into k values (2); insert into p values (2);"),
    )

    with pytest.raises(StatementFailed, match=r"0003 .* violates foreign key") as error:
        migrate(database, line, options=WHOLE)

    assert error.value.place.line == 3


def test_a_constraint_violation_is_reported_for_its_file(database, other, write) -> None:
    line = (write(1, KEYS), write(2, "insert into k values (1);"), write(3, "insert into p values (1);"))

    with pytest.raises(StatementFailed, match=r"0002 .* violates foreign key") as error:
        migrate(database, line, options=WHOLE)

    assert "The run is one transaction" in error.value.message
    assert error.value.place.file == "migrations/0002_step_2.sql"
    assert ledger.applied(other) == ()


def test_a_deferred_trigger_runs_as_the_role_of_its_file(database, other, write) -> None:
    other.execute("create role writer; grant create, usage on schema public to writer")
    trigger = """
        create table seen (who text default current_user);
        create function look() returns trigger language plpgsql as $$
          begin insert into seen values (default); return null; end $$;
        create table a (x int);
        create constraint trigger look after insert on a deferrable initially deferred
          for each row execute function look();
    """
    line = (
        write(1, trigger, options=" role:writer"),
        write(2, "insert into a values (1);", options=" role:writer"),
        write(3, "create table b (x int);"),
    )
    try:
        migrate(database, line, options=WHOLE)

        assert other.execute("select who from seen").fetchall() == [("writer",)]
        owners = other.execute("select tableowner = current_user from pg_tables where tablename = 'b'")
        assert owners.fetchone() == (True,)
    finally:
        other.execute("drop owned by writer; drop role writer")


def test_the_same_setting_in_several_files_is_no_session_state(database, other, write) -> None:
    line = tuple(
        write(number, "set local work_mem = '10MB';", options=" lock_timeout:1s") for number in (1, 2, 3)
    )

    migrate(database, line, options=WHOLE)

    assert len(ledger.applied(other)) == 3


def test_session_state_after_the_commit_is_reported_for_the_run(database, other, write) -> None:
    line = (write(1, "select pg_advisory_lock(7);"), write(2, "create table a (x int);"))

    with pytest.raises(
        SessionStateChanged, match=r"0001 step_1 to 0002 step_2 are done, but one of them .* advisory"
    ):
        migrate(database, line, options=WHOLE)

    assert len(ledger.applied(other)) == 2
