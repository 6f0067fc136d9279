"""Session state: what a file leaves in the session for the next one."""

from __future__ import annotations

import pytest

from aigym_db.database import ledger
from aigym_db.errors import SessionStateChanged
from aigym_db.migrate.apply import migrate


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("select set_config('search_path', 'pg_temp', false);", "search_path = pg_temp"),
        ("do $$ begin set role pg_monitor; end $$;", "the role pg_monitor"),
        ("create temp table t as select 1;", "a temporary table"),
        ("do $$ begin execute 'prepare p as select 1'; end $$;", "a prepared statement"),
        ("select pg_advisory_lock(5);", "an advisory lock"),
        ("select pg_advisory_unlock_all();", "the runner lock released"),
        ("do $$ begin perform set_config('work_mem', '8MB', false); end $$;", "the setting work_mem = 8192"),
        (
            "create function f() returns int language plpgsql as $$ begin set lock_timeout = 0; return 1; "
            "end $$; select f();",
            "the setting lock_timeout = 0",
        ),
        ("select set_config('session_replication_role', 'replica', false);", "session_replication_role"),
        ("listen news;", "a LISTEN"),
        ("do $$ begin execute 'listen news'; end $$;", "a LISTEN"),
        ("declare c cursor with hold for select 1;", "an open cursor"),
        (
            "create function pg_temp.f() returns int language sql return 1; select pg_temp.f();",
            "a temporary function",
        ),
        ("create temp view v as select 1;", "a temporary table"),
        ("select 1 into temp t;", "a temporary table"),
    ],
)
def test_session_state_is_reported_and_stops_the_run(database, other, write, text: str, state: str) -> None:
    with pytest.raises(SessionStateChanged) as error:
        migrate(database, (write(1, text), write(2, "create table b ();")))

    assert state in error.value.message
    assert error.value.place.file == "migrations/0001_step_1.sql"
    assert [row.version for row in ledger.applied(other)] == [1]
    assert other.execute("select to_regclass('b')").fetchone() == (None,)


@pytest.mark.parametrize(
    "text",
    [
        "set local search_path = pg_temp; select 1;",
        "select pg_advisory_xact_lock(5);",
        "create temp table t on commit drop as select 1;",
        "select set_config('search_path', 'x', true);",
        "set local work_mem = '8MB'; select 1;",
        "declare c cursor for select 1; select 1;",
        "notify news;",
        "do $$ begin perform pg_notify('news', 'x'); end $$;",
    ],
)
def test_state_that_ends_with_the_transaction_is_accepted(database, write, text: str) -> None:
    assert len(migrate(database, (write(1, text), write(2, "select 1;")))) == 2


FUNCTIONS = """
create table seen (value text);
create table rows as select generate_series(1, 10) as a;
create function keep() returns int language plpgsql as $$
begin perform set_config('{setting}', '8MB', false); return 1; end $$;
create function on_row() returns trigger language plpgsql as $$ begin perform keep(); return new; end $$;
create trigger t before insert or update on rows for each row execute function on_row();
alter table rows add constraint c check (keep() = 1) not valid;
create procedure by_itself() language plpgsql as $$ begin perform keep(); commit; end $$;
"""
SETTING = {
    "a statement": ("select keep();", ""),
    "a trigger": ("insert into rows values (1);", ""),
    "rows of a COPY": ("copy rows (a) from stdin;\n1\n\\.\n", ""),
    "validation of a constraint": ("alter table rows validate constraint c;", ""),
    "a default": ("alter table rows add b int default keep();", ""),
    "a non-transactional statement": ("select keep();", " transaction:false"),
    "a non-transactional procedure": ("call by_itself();", " transaction:false"),
    "a backfill": ("update rows set a = -a where a > 0;", " batch:2"),
}
AFTER = {
    "rows": ("insert into seen values (current_setting('{setting}', true));", ""),
    "a definition": ("create table also as select current_setting('{setting}', true) as value;", ""),
    "non-transactional": (
        "insert into seen values (current_setting('{setting}', true));",
        " transaction:false",
    ),
    "data": (
        "insert into seen values (current_setting('{setting}', true));\ncopy rows (a) from stdin;\n1\n\\.\n",
        "",
    ),
}


@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("sets", SETTING)
def test_a_custom_setting_ends_with_its_file(database, other, write, sets, after) -> None:
    setting = "my.own"
    (first, option), (second, second_option) = SETTING[sets], AFTER[after]
    line = (
        write(1, FUNCTIONS.format(setting=setting)),
        write(2, first, options=option),
        write(3, second.format(setting=setting), options=second_option),
    )

    migrate(database, line)

    table = "also" if after == "a definition" else "seen"
    assert other.execute(f"select coalesce(value, '') from {table}").fetchall() == [("",)]


def test_a_custom_setting_of_an_event_trigger_ends_with_its_file(database, other, write) -> None:
    start = (
        "create table seen (value text); create function keep() returns event_trigger language plpgsql as "
        "$$ begin perform set_config('my.own', 'x', false); end $$; "
        "create event trigger keeps on ddl_command_end execute function keep();"
    )
    read = write(3, "insert into seen values (current_setting('my.own', true));")

    migrate(database, (write(1, start), write(2, "create table a ();"), read))

    assert other.execute("select coalesce(value, '') from seen").fetchall() == [("",)]


def test_a_setting_changed_by_a_trigger_is_reset(database, other, write) -> None:
    note = "insert into seen values (current_setting('work_mem')); "
    start = FUNCTIONS.format(setting="work_mem").replace(
        "begin perform keep(); return", f"begin {note}perform keep(); return"
    )
    line = (write(1, start), *(write(number, "insert into rows values (1);") for number in (2, 3, 4)))
    (before,) = other.execute("show work_mem").fetchone()

    migrate(database, line)

    assert other.execute("select value from seen").fetchall() == [(before,)] * 3
