"""Server behavior that migration engines commonly hide: zero-row updates, INVALID indexes, notices, leaks."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import psycopg
import pytest

from aigym_db.database.servers.databases import create_database, drop_database
from aigym_db.database.servers.installed import InstalledThrowaway
from tests.support.sampling import sampled_items

FORCED = (
    "create table a (x int);\ninsert into a values (1);\n"
    "alter table a enable row level security;\nalter table a force row level security;"
)


@pytest.mark.promise(
    "`UPDATE` on a FORCE RLS table by a non-superuser owner changes 0 rows, reported as success"
)
@pytest.mark.parametrize("options", ["", "transaction:false"], ids=["transactional", "non-transactional"])
def test_update_on_a_force_rls_table_by_a_non_superuser_owner_is_error_42501(
    project, other, plain_owner: str, options: str
) -> None:
    project.setting(f'owner = "{plain_owner}"')
    project.migration("0001_table", FORCED)
    project.migration("0002_change", "update a set x = 2;", options=options)

    seen = project.run("migrate")

    assert seen.status == 4
    assert 'query would be affected by row-level security policy for table "a"' in seen.out
    assert "SQLSTATE: 42501" in seen.out
    assert (other.applied(), other.all("select x from a")) == ([1], [1])


@pytest.mark.promise(
    "`UPDATE` on a FORCE RLS table by a non-superuser owner changes 0 rows, reported as success"
)
def test_update_on_a_force_rls_table_is_applied_if_the_file_opts_in(project, other, plain_owner: str) -> None:
    project.setting(f'owner = "{plain_owner}"')
    project.migration("0001_table", FORCED)
    project.migration(
        "0002_change",
        "create policy everyone on a using (true);\nset local row_security = on;\nupdate a set x = 2;",
    )

    seen = project.run("migrate")

    assert (seen.status, other.applied(), other.all("select x from a")) == (0, [1, 2], [2]), seen.out


UNIQUE = "create unique index concurrently {0}a_x_idx on a (x);"


@pytest.mark.promise(
    "a failed unique `CREATE INDEX CONCURRENTLY`, re-run with IF NOT EXISTS, is recorded as applied over an "
    "INVALID index"
)
@pytest.mark.parametrize("words", ["", "if not exists "], ids=["plain", "if not exists"])
def test_a_failed_unique_index_is_rebuilt_and_not_recorded_as_applied(project, other, words: str) -> None:
    valid = "select indisvalid from pg_index where indexrelid = to_regclass('a_x_idx')"
    project.migration("0001_table", "create table a (x int); insert into a values (1), (1);")
    project.migration("0002_unique", UNIQUE.format(words), options="transaction:false")

    first = project.run("migrate")
    invalid = other.one(valid)
    second = project.run("migrate")
    other.execute("delete from a where ctid = (select max(ctid) from a)")
    third = project.run("migrate")

    assert (first.status in (4, 7), invalid) == (True, False)
    assert second.status in (4, 7)
    assert 'could not create unique index "a_x_idx"' in second.out
    assert other.events().count("apply 2") == 1
    assert third.status == 0, third.out
    assert (other.one(valid), other.applied()) == (True, [1, 2])


@pytest.mark.promise(
    "a failed unique `CREATE INDEX CONCURRENTLY`, re-run with IF NOT EXISTS, is recorded as applied over an "
    "INVALID index"
)
def test_an_invalid_index_built_by_another_session_is_rebuilt(project, other) -> None:
    project.migration("0001_table", "create table a (x int); insert into a values (1), (1);")
    project.run("migrate")
    with pytest.raises(psycopg.errors.UniqueViolation):
        other.execute(UNIQUE.format(""))
    other.execute("delete from a where ctid = (select max(ctid) from a)")
    project.migration("0002_unique", UNIQUE.format("if not exists "), options="transaction:false")

    seen = project.run("migrate")

    assert seen.status == 0, seen.out
    assert other.one("select indisvalid from pg_index where indexrelid = 'a_x_idx'::regclass")


@pytest.fixture
def dump(server: InstalledThrowaway) -> Iterator[str]:
    """The pg_dump output of a database with special characters, identity columns and functions."""
    created = create_database(server)
    dsn = created.dsn
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            r"""
            create schema app;
            create type app.mood as enum ('sad', 'happy');
            create table app.people (
                id int generated always as identity primary key, name text, mood app.mood);
            insert into app.people (name, mood) values
                (E'tab\tline\nback\\slash \\. ; é😀', 'happy'), ('', 'sad'), (null, null);
            create table app.notes (id int primary key, people_id int references app.people, body text);
            insert into app.notes select i, 1, repeat('x', 100) from generate_series(1, 500) as i;
            create view app.happy as select * from app.people where mood = 'happy';
            create function app.count_people() returns bigint language sql as
                $$ select count(*) from app.people; $$;
            create function public.by_name(text) returns int language sql immutable as
                $$ select length($1) $$;
            create index people_name_idx on app.people (public.by_name(name));
            select setval('app.people_id_seq', 77);
            """
        )
    yield subprocess.run(
        [server.programs.program("pg_dump"), "--no-owner", dsn],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    drop_database(server, created.name)


@pytest.mark.promise(
    r"a pg_dump file as baseline is rejected (`\restrict`, COPY … FROM stdin, empty search_path)"
)
def test_a_pg_dump_file_is_applied_unchanged_as_baseline(project, other, dump: str) -> None:
    assert all(words in dump for words in ("\n\\restrict ", " FROM stdin;\n", "'search_path', '', false"))
    project.migration("0001_baseline", dump, None)
    project.migration("0002_after", "create table made_in_public (x int);")

    seen = project.run("migrate")

    assert (seen.status, seen.out.splitlines()[-1]) == (0, "2 applied."), seen.out
    assert other.one("select name from app.people where id = 1") == "tab\tline\nback\\slash \\. ; é😀"
    assert other.execute("select count(*), count(name), count(mood) from app.people").fetchone() == (3, 2, 2)
    assert other.one("select count(*) from app.notes") == 500
    assert other.one("select nextval('app.people_id_seq')") == 78
    assert other.one("select to_regclass('public.made_in_public') is not null")


NOTICES = (
    "create table if not exists a (x int);\n"
    "do $$ begin raise warning 'take care: é😀' using hint = 'look here', detail = 'of this'; end $$;\n"
    "drop table if exists nothing;"
)


@pytest.mark.promise("NOTICE/WARNING of the server hidden on success")
@pytest.mark.parametrize("options", ["", "transaction:false"], ids=["transactional", "non-transactional"])
def test_notice_and_warning_of_the_server_are_shown_on_success(project, options: str) -> None:
    project.migration("0001_table", "create table a (x int);")
    project.migration("0002_notices", NOTICES, options=options)

    seen = project.run("migrate")

    assert seen.status == 0
    assert 'notice: relation "a" already exists, skipping' in seen.out
    assert "warning: take care: é😀" in seen.out
    assert "    of this\n    look here\n" in seen.out
    assert 'notice: table "nothing" does not exist, skipping' in seen.out


LEAKS = {
    "SET ROLE": "set role pg_monitor;",
    "SET ROLE in a function": "do $$ begin set role pg_monitor; end $$;",
    "SET search_path": "set search_path = pg_temp;",
    "SET search_path in a function": "select set_config('search_path', 'pg_temp', false);",
    "SET SESSION AUTHORIZATION": "set session authorization pg_monitor;",
    "RESET ROLE": "reset role;",
    "DISCARD ALL": "discard all;",
    "SET TIME ZONE": "set time zone 'Asia/Tokyo';",
    "SET SESSION CHARACTERISTICS": "set session characteristics as transaction read only;",
    "a setting in a function": "do $$ begin perform set_config('statement_timeout', '1d', false); end $$;",
    "an advisory lock": "select pg_advisory_lock(5);",
    "a temporary table": "create temp table t (x int);",
    "a prepared statement": "prepare p as select 1;",
    "a prepared statement in a function": "do $$ begin execute 'prepare p as select 1'; end $$;",
    "a cursor": "declare c cursor with hold for select 1;",
    "LISTEN": "listen news;",
}


@pytest.mark.promise("`SET ROLE`, `SET search_path` leak into the next file or into pooled sessions")
@pytest.mark.parametrize("options", ["", "transaction:false"], ids=["transactional", "non-transactional"])
@pytest.mark.parametrize("text", sampled_items(LEAKS, 3))
def test_session_state_does_not_leak_into_the_next_file(project, other, text: str, options: str) -> None:
    session = (
        "create table seen as select current_user::text as who, current_setting('search_path') as path, "
        "current_setting('TimeZone') as zone, current_setting('statement_timeout') as timeout, "
        "pg_my_temp_schema() = 0 as no_temp, (select count(*) from pg_listening_channels()) as listening;"
    )
    project.migration("0001_leak", text, options=options)
    project.migration("0002_next", session)

    seen = project.run("migrate")
    applied = seen.status == 3
    again = project.run("migrate")

    # Rejected before anything is sent, or applied, reported, and reset before the next file.
    assert ("AIG-G007" in seen.out, "AIG-P010" in seen.out) == (applied, not applied)
    assert (seen.status, again.status) == ((3, 0) if applied else (2, 2))
    rows = other.execute("select * from seen").fetchall() if applied else []
    assert rows == ([("postgres", "public", "UTC", "0", True, 0)] if applied else [])


DEFERRED = (
    "create table b (id int primary key, a_id int references a initially deferred);\n"
    "insert into b values (1, 1);"
)


@pytest.mark.promise('"Applied" printed for a migration that failed')
@pytest.mark.parametrize("others", [1, 6])
def test_applied_is_printed_only_after_the_commit(project, other, others: int) -> None:
    project.migration("0001_table", "create table a (id int primary key);", frozen=False)
    for number in range(2, others + 1):
        project.migration(f"{number:04d}_more", f"create table more_{number} ();", frozen=False)
    project.migration(f"{others + 1:04d}_fails", DEFERRED)

    seen = project.run("migrate")
    document = project.run("--format", "json", "migrate")

    printed = [line.split(" (")[0] for line in seen.out.splitlines() if line.startswith("applied")]
    assert seen.status == 4
    assert 'violates foreign key constraint "b_a_id_fkey"' in seen.out
    assert [int(line.split()[1]) for line in printed] == other.applied() == list(range(1, others + 1))
    assert json.loads(document.out[document.out.index("{") :])["ok"] is False
    assert other.one("select to_regclass('b') is null")
