"""Databases made, cloned with everything said about them, and dropped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from aigym_db.database.servers import (
    Database,
    Throwaway,
    available,
    clone,
    create_database,
    drop_database,
    throwaway,
)
from aigym_db.errors import StatementFailed

ABOUT = """
    select
        pg_get_userbyid(d.datdba),
        d.datacl::text[],
        d.datconnlimit,
        shobj_description(d.oid, 'pg_database'),
        array(
            select format('%%s: %%s', coalesce(r.rolname, '-'), s.setconfig)
            from pg_db_role_setting as s
            left join pg_roles as r on r.oid = s.setrole
            where s.setdatabase = d.oid
            order by 1
        ),
        d.encoding, d.datcollate, d.datctype, d.datlocprovider
    from pg_database as d
    where d.datname = %s
"""

SAID = """
    create role keeper;
    create role guest;
    create role "Mr. O'Neil";
    alter database template owner to keeper;
    comment on database template is 'It''s a "template"; 100% — fürs Klonen';
    alter database template set search_path to 'app', 'with space', 'Com,ma', 'quo"te';
    alter database template set work_mem to '12345kB';
    alter database template set "app.tenant" to 'a; drop table x; --''%';
    alter database template set default_transaction_isolation to 'repeatable read';
    alter role guest in database template set search_path to '';
    alter role guest in database template set statement_timeout to '7s';
    alter role all in database template set datestyle to 'ISO, DMY';
    revoke connect on database template from public;
    grant connect on database template to "Mr. O'Neil" with grant option;
    set role "Mr. O'Neil";
    grant connect on database template to guest;
    reset role;
    grant temporary on database template to guest;
    alter database template connection limit 17
"""


@contextmanager
def described(name: str) -> Iterator[Throwaway]:
    with throwaway(name) as server:
        with psycopg.connect(create_database(server, "template").dsn, autocommit=True) as connection:
            connection.execute("create table work as select generate_series(1, 1000) as id")
            connection.execute(SAID)
        yield server


def about(server: Throwaway, name: str) -> object:
    with psycopg.connect(server.dsn()) as connection:
        return connection.execute(ABOUT, [name]).fetchone()


@pytest.mark.parametrize("name", available())
def test_a_clone_has_the_data_and_everything_said_about_its_template(name: str) -> None:
    with described(name) as server:
        copy = clone(server, "template", "copy")

        with psycopg.connect(copy.dsn) as connection:
            assert connection.execute("select count(*) from public.work").fetchone() == (1000,)
        assert about(server, "copy") == about(server, "template")


def test_a_clone_of_a_plain_database_is_as_plain(server: Throwaway, created: Database) -> None:
    copy = clone(server, created.name)

    assert about(server, copy.name) == about(server, created.name)
    drop_database(server, copy.name)


def test_a_database_everybody_was_shut_out_of_stays_so(server: Throwaway, created: Database) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"revoke all on database {created.name} from public, postgres".encode())

    copy = clone(server, created.name)

    assert about(server, copy.name) == about(server, created.name)
    drop_database(server, copy.name)


def test_names_are_quoted(server: Throwaway) -> None:
    name = """it's a "name"; 100%/?&"""

    original = create_database(server, name)
    copied = clone(server, name, f"{name} 2")

    with psycopg.connect(original.dsn) as first, psycopg.connect(copied.dsn) as second:
        assert first.info.dbname == name
        assert second.info.dbname == f"{name} 2"
    drop_database(server, name)
    drop_database(server, f"{name} 2")


def test_an_empty_database_may_be_given_to_an_owner(server: Throwaway) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("drop role if exists owner_of_one")
        connection.execute("create role owner_of_one")

    create_database(server, "owned", owner="owner_of_one")

    found = about(server, "owned")
    assert isinstance(found, tuple)
    assert found[0] == "owner_of_one"
    drop_database(server, "owned")


def test_a_template_that_does_not_exist_is_named(server: Throwaway) -> None:
    with pytest.raises(StatementFailed, match="no_such_template"):
        clone(server, "no_such_template")


def test_a_name_that_is_taken_is_named(server: Throwaway, created: Database) -> None:
    with pytest.raises(StatementFailed, match="already exists"):
        create_database(server, created.name)


def test_a_template_in_use_says_so_and_leaves_nothing(server: Throwaway, created: Database) -> None:
    with psycopg.connect(created.dsn), pytest.raises(StatementFailed) as refusal:
        clone(server, created.name, "never_made")

    assert "being accessed by other users" in refusal.value.message
    assert about(server, "never_made") is None


def test_a_clone_that_cannot_be_completed_is_removed(
    server: Throwaway, created: Database, monkeypatch
) -> None:
    monkeypatch.setattr("aigym_db.database.servers.databases.query", _with_a_failing_last_statement)

    with pytest.raises(StatementFailed, match="nobody"):
        clone(server, created.name, "never_kept")

    assert about(server, "never_kept") is None


def test_dropping_puts_out_whoever_is_connected(server: Throwaway) -> None:
    with psycopg.connect(create_database(server, "crowded").dsn) as connection:
        drop_database(server, "crowded")

        assert about(server, "crowded") is None
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")


def test_dropping_one_that_does_not_exist_is_no_error(server: Throwaway) -> None:
    drop_database(server, "no_such_database")


def _with_a_failing_last_statement(name: str) -> str:
    from aigym_db.database.queries import query

    failing = "union all select 6, 0, 'grant connect on database never_kept to nobody_at_all'"
    return query(name).replace(")\nselect statement", f"{failing}\n)\nselect statement")
