"""What a file leaves in the session, where the next one would meet it."""

from __future__ import annotations

import pytest

from aigym_db.database import ledger
from aigym_db.errors import LeftBehind
from aigym_db.migrate.apply import migrate


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("select set_config('search_path', 'pg_temp', false);", "search_path = pg_temp"),
        ("do $$ begin set role pg_monitor; end $$;", "the role pg_monitor"),
        ("create temp table t as select 1;", "a temporary table"),
        ("do $$ begin execute 'prepare p as select 1'; end $$;", "a prepared statement"),
        ("select pg_advisory_lock(5);", "an advisory lock"),
        ("select pg_advisory_unlock_all();", "its own lock given back"),
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
def test_what_a_file_leaves_in_the_session_is_named_and_stops_the_run(
    database, other, write, text: str, left: str
) -> None:
    with pytest.raises(LeftBehind) as refusal:
        migrate(database, (write(1, text), write(2, "create table b ();")))

    assert left in refusal.value.message
    assert refusal.value.place.file == "migrations/0001_step_1.sql"
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
def test_what_ends_with_the_file_is_left_in_peace(database, write, text: str) -> None:
    assert len(migrate(database, (write(1, text), write(2, "select 1;")))) == 2
