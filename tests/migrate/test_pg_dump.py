"""A pg_dump file in plain format is a valid migration."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.database.migration_session import open_session
from aigym_db.database.replay import replay
from aigym_db.database.servers.binaries import available
from aigym_db.database.servers.databases import create_database, temporary_database
from aigym_db.database.servers.installed import InstalledThrowaway
from aigym_db.errors import AigymError, BadSql, ForbiddenStatement, StatementFailed
from aigym_db.lint.engine import lint
from aigym_db.lint.section import Section
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options
from aigym_db.migrate.preflight import steps
from aigym_db.migrate.rollback import rollback
from aigym_db.model.session import MigrationSession
from aigym_db.project.migrations import read
from tests.support.servers import installed

SCHEMA = r"""
create schema app;
create schema "Ünï;x";
create type app.kind as enum ('a', 'b');
create table app.t (
  id int generated always as identity primary key, name text, "odd ;""col" text, k app.kind default 'a',
  body jsonb);
create table app.empty (a int);
create table app.child (id serial primary key, t_id int references app.t, n text not null);
create table app.parts (a int) partition by range (a);
create table app.parts_1 partition of app.parts for values from (0) to (10);
create function app.f(a int) returns int language plpgsql as $x$ begin /* ; */ return a; -- it's
end $x$;
create function app.g() returns int language sql begin atomic select 1; select 2; end;
create function app.w() returns text language sql as E'select ''a\r\nb''\r\n';
create view app.v as select * from app.t where name like '%;%';
create materialized view app.m as select count(*) from app.t;
create rule r as on insert to app.empty do also (select 1; select 2);
comment on table app.t is E'it''s;\n-- migrate:down';
insert into app.t (name, "odd ;""col", body) values
  (E'tab\there\nnewline\\ back', null, '{"a": 1}'), ('\.', 'x', null),
  ('-- migrate:down', '-- migrate:up', null),
  (E'\n-- migrate:down\n', '', null), ('é😀 €', '$$; drop', null),
  (E'cr\r\nlf\r', '''', null), ('', '\N', null);
insert into app.child (t_id, n) values (1, 'x'), (2, 'y');
insert into app.parts values (1), (2);
select lo_from_bytea(0, '\xdeadbeef');
refresh materialized view app.m;
grant select on app.t to public;
alter table app.t enable row level security;
create policy p on app.t using (true);
"""
WAYS = {
    "the schema": ["--schema-only"],
    "data as COPY": [],
    "data as INSERT": ["--inserts"],
    "data as INSERT with names": ["--column-inserts"],
    "only data": ["--data-only", "--disable-triggers"],
    "dropping first": ["--clean", "--if-exists"],
}
END = "\n-- migrate:down irreversible: this is where history begins\n"


@pytest.fixture(scope="module", params=available())
def any_server(request: pytest.FixtureRequest) -> Iterator[InstalledThrowaway]:
    with installed(request.param) as running:
        yield running


@pytest.fixture(scope="module")
def full(any_server: InstalledThrowaway) -> str:
    dsn = create_database(any_server).dsn
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SCHEMA)
    return dsn


@pytest.fixture
def empty(any_server: InstalledThrowaway) -> Iterator[str]:
    with temporary_database(any_server) as created:
        yield created.dsn


def dump(server: InstalledThrowaway, dsn: str, *options: str) -> str:
    command = [server.programs.program("pg_dump"), *options, "--exclude-schema=aigym_db", "--dbname", dsn]
    text = subprocess.run(command, check=True, capture_output=True).stdout.decode()
    # The key is another one each time.
    return re.sub(r"(?m)^\\(un)?restrict .*$", r"\\\1restrict k", text)


def migration(folder: Path, text: str, *, options: str = "", end: str = END):
    path = folder / "0001_dump.sql"
    path.write_bytes(f"-- migrate:up{options}\n{text}{end}".encode())
    return read(path, "migrations/0001_dump.sql")


@pytest.mark.parametrize("way", WAYS)
def test_a_dump_as_a_migration_restores_its_source_database(
    any_server: InstalledThrowaway, full: str, empty: str, tmp_path: Path, way: str
) -> None:
    options = WAYS[way]
    if way == "only data":
        with psycopg.connect(empty, autocommit=True) as connection:
            connection.execute(re.sub(r"(?s)insert into app.t .*?refresh.*?;", "", SCHEMA))

    migrate(empty, (migration(tmp_path, dump(any_server, full, *options)),))

    assert dump(any_server, empty, *options) == dump(any_server, full, *options)


@pytest.mark.parametrize("way", ["the schema", "data as COPY", "data as INSERT"])
def test_verify_and_new_replay_a_dump_as_migrate_runs_it(
    any_server: InstalledThrowaway, full: str, empty: str, tmp_path: Path, way: str
) -> None:
    part = migration(tmp_path, dump(any_server, full, *WAYS[way])).up

    with open_session(empty, MigrationSession()) as connection:
        replay(connection, [part])

        left = connection.execute("select current_setting('search_path')").fetchone()
    assert dump(any_server, empty, *WAYS[way]) == dump(any_server, full, *WAYS[way])
    assert left != ("",)


def test_a_dump_leaves_no_session_state(
    any_server: InstalledThrowaway, full: str, empty: str, tmp_path: Path, write
) -> None:
    first = migration(tmp_path, dump(any_server, full))
    second = write(
        2,
        "create table seen as select name, setting from pg_settings where name in ('search_path', "
        "'statement_timeout', 'lock_timeout', 'check_function_bodies', 'xmloption', 'client_min_messages');",
    )

    migrate(empty, (first, second), options=Options(lock_timeout_ms=1234))

    with psycopg.connect(empty) as connection:
        seen: dict[str, str] = dict(connection.execute("select * from seen").fetchall())
    assert seen == {
        "search_path": "public",
        "statement_timeout": "0",
        "lock_timeout": "1234",
        "check_function_bodies": "on",
        "xmloption": "content",
        "client_min_messages": "notice",
    }


def test_deferred_triggers_of_a_file_with_data_run_as_the_owner(
    any_server: InstalledThrowaway, empty: str, write
) -> None:
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("create role data_owner; grant create on schema public to data_owner")
    text = """
        create table seen (who name);
        create table t (a int, b text);
        create function note() returns trigger language plpgsql as
            $$ begin insert into seen values (current_user); return null; end $$;
        create constraint trigger note after insert on t deferrable initially deferred
            for each row execute function note();
    """

    migrate(
        empty,
        (write(1, text + "copy t (a, b) from stdin;\n1\tx\n\\.\n"),),
        options=Options(owner="data_owner"),
    )

    with psycopg.connect(empty, autocommit=True) as connection:
        seen = connection.execute("select who from seen").fetchall()
        connection.execute("drop owned by data_owner; drop role data_owner")
    assert seen == [("data_owner",)]


def test_the_settings_of_a_dump_apply_except_the_lock_timeout(database: str, other, tmp_path: Path) -> None:
    text = HEAD + "create table seen as select pg_catalog.current_setting('search_path') as path, "
    text += (
        "pg_catalog.current_setting('lock_timeout') as lock, pg_catalog.current_setting('xmloption') as xml;"
    )

    with pytest.raises(StatementFailed, match="no schema has been selected"):
        migrate(database, (migration(tmp_path, text),))
    migrate(
        database,
        (migration(tmp_path, text.replace("seen", "public.seen")),),
        options=Options(lock_timeout_ms=99),
    )

    assert other.execute("select * from seen").fetchall() == [("", "99ms", "document")]


def test_a_dump_of_a_newer_pg_dump_runs_on_an_older_server(empty: str, tmp_path: Path) -> None:
    migrate(empty, (migration(tmp_path, HEAD + "create table public.t ();"),))

    with psycopg.connect(empty) as connection:
        assert connection.execute("select to_regclass('t')").fetchone() == ("t",)


HEAD = """--
-- PostgreSQL database dump
--

\\restrict abc

SET statement_timeout = 0;
SET lock_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET xmloption = document;
SET row_security = off;

"""


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("\\connect other\n", 3, "--create"),
        (HEAD + "\\connect other\n", 18, "--create"),
        (HEAD + "CREATE DATABASE x;\n", 18, "--create"),
        (HEAD + "\\i more.sql\n", 18, "Remove the line"),
        ("\\restrict\n", 3, "Remove the line"),
        ("select 1;\nSET statement_timeout = 0;\n", 4, "set local"),
        ("select 1;\n" + HEAD + "SET work_mem = '1GB';\n", 19, "set local"),
        (HEAD + "SET client_encoding = 'LATIN1';\n", 18, "as UTF-8"),
        (HEAD + "SET standard_conforming_strings = off;\n", 18, "E'…'"),
        (HEAD + "SET SESSION AUTHORIZATION x;\n", 18, "role:"),
        (HEAD + "BEGIN;\nselect 1;\nCOMMIT;\n", 18, "Remove it"),
        ("create table t (a int);\ncopy t from stdin;\n1\n", 4, "`\\.`"),
        ("create table t (a int);\ncopy t from stdin; select 1;\n1\n\\.\n", 4, "`\\.`"),
        ("copy t from stdin;\n", 3, "`\\.`"),
        ("copy t from stdin (format binary);\nx\n\\.\n", 3, "as text"),
        ("copy t to stdout;\n", 3, "Remove it"),
    ],
)
def test_psql_commands_other_than_those_of_a_dump_are_rejected_with_position_and_hint(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    with pytest.raises((BadSql, ForbiddenStatement)) as error:
        steps(migration(tmp_path, f"select 'é😀';\n{text}").up)

    assert error.value.place is not None
    assert (error.value.place.line, words in error.value.hint) == (line, True)


def test_unterminated_data_in_the_up_part_is_reported(tmp_path: Path) -> None:
    up = "create table t (a int);\ncopy t from stdin;\n1\n"

    with pytest.raises(AigymError, match="migrate:down") as error:
        migration(tmp_path, up, end="-- migrate:down\ncopy t from stdin;\n\\.\ndrop table t;\n")

    assert "line 3" in error.value.hint


@pytest.mark.parametrize("text", ["copy t from stdin;\n1\n\\.\n", HEAD + "select 1;\n"])
def test_a_non_transactional_dump_is_rejected_with_a_hint(tmp_path: Path, text: str) -> None:
    with pytest.raises(ForbiddenStatement) as error:
        steps(migration(tmp_path, text, options=" transaction:false").up)

    assert "transaction:false" in error.value.hint


def test_psql_lines_are_accepted_in_a_non_transactional_file(tmp_path: Path) -> None:
    text = "\\restrict abc\nvacuum;\n\\unrestrict abc\n"

    assert [step.text for step in steps(migration(tmp_path, text, options=" transaction:false").up)] == [
        "vacuum"
    ]


def test_both_directions_may_contain_data(database: str, other, tmp_path: Path) -> None:
    up = "create table t (a int, b text);\nCOPY t (a, b) FROM stdin;\n1\tit's\n2\t\\N\n\\.\n"
    down = '-- migrate:down\ntruncate t;\ncopy t from stdin with (format csv);\n3,"a\n-- b"\n\\.\n'
    line = (migration(tmp_path, up, end=down),)

    migrate(database, line)
    first = other.execute("select * from t order by a").fetchall()
    rollback(database, line, yes=True)

    assert first == [(1, "it's"), (2, None)]
    assert other.execute("select * from t").fetchall() == [(3, "a\n-- b")]
    assert ledger.applied(other) == ()


@pytest.mark.parametrize(
    ("data", "copy", "line", "column"),
    [
        ("1\tx\t2\né\ty\t3\n", "copy public.t from stdin", 6, 1),
        ("1\té😀\t2\n2\té\tx\n", 'COPY public.t (a, b, "c") FROM stdin', 6, 5),
        ("1\tx\t2\n2\n", "copy public.t from stdin", 6, 1),
        ("1\tx\t2\n1\tx\t2\n", "copy public.t from stdin", 6, 1),
        ("1\tx\t2\n2\t\\N\t2\n", "copy public.t from stdin", 6, 1),
        ("1,x,2\n2,x,z\n", "copy public.t (a, b, c) from stdin with (format csv)", 6, 1),
    ],
)
def test_an_error_in_the_data_has_its_position_in_the_file(
    database: str, other, tmp_path: Path, data: str, copy: str, line: int, column: int
) -> None:
    text = f"create table t (a int unique, b text not null, c int);\nselect 'ü';\n{copy};\n{data}\\.\n"

    with pytest.raises(StatementFailed) as error:
        migrate(database, (migration(tmp_path, text),))

    place = error.value.place
    assert place is not None
    assert (place.file, place.line, place.column) == ("migrations/0001_dump.sql", line, column)
    assert place.text == data.splitlines()[1]
    assert ledger.applied(other) == ()


def test_an_error_after_the_data_has_its_position(database: str, tmp_path: Path) -> None:
    text = "create table t (a int);\ncopy t from stdin;\n1\n\\.\nselect 'é', 1;\nselect\n  nope;\n"

    with pytest.raises(StatementFailed) as error:
        migrate(database, (migration(tmp_path, text),))

    assert (error.value.place.line, error.value.place.column) == (8, 3)


def test_lint_reads_a_dump(full: str, any_server: InstalledThrowaway, tmp_path: Path) -> None:
    part = migration(tmp_path, dump(any_server, full)).up

    findings = lint([Section.of_part(part, "up")])

    assert [finding for finding in findings if finding.rule == "bad-sql" or "SET LOCAL" in finding.hint] == []


def test_a_comment_in_data_allows_nothing(tmp_path: Path) -> None:
    text = "create table app.t (a text);\ncopy app.t from stdin;\n-- allow nothing-known: because\n\\.\n"

    findings = lint([Section.of_part(migration(tmp_path, text).up, "up")])

    assert [
        finding for finding in findings if "allow" in finding.message or "nothing-known" in finding.message
    ] == []
