"""Create databases, clone them with all their properties, and drop them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from aigym_db.database.servers.binaries import available
from aigym_db.database.servers.databases import Database, clone, create_database, drop_database
from aigym_db.database.servers.server import Throwaway
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.errors import StatementFailed

PROPERTIES_QUERY = """
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

PROPERTIES = """
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
def server_with_template(name: str) -> Iterator[Throwaway]:
    with throwaway(name) as server:
        with psycopg.connect(create_database(server, "template").dsn, autocommit=True) as connection:
            connection.execute("create table work as select generate_series(1, 1000) as id")
            connection.execute(PROPERTIES)
        yield server


def properties_of(server: Throwaway, name: str) -> object:
    with psycopg.connect(server.dsn()) as connection:
        return connection.execute(PROPERTIES_QUERY, [name]).fetchone()


@pytest.mark.parametrize("name", available())
def test_a_clone_has_the_data_and_the_properties_of_its_template(name: str) -> None:
    with server_with_template(name) as server:
        copy = clone(server, "template", "copy")

        with psycopg.connect(copy.dsn) as connection:
            assert connection.execute("select count(*) from public.work").fetchone() == (1000,)
        assert properties_of(server, "copy") == properties_of(server, "template")


def test_a_clone_of_a_database_without_properties_has_none(server: Throwaway, created: Database) -> None:
    copy = clone(server, created.name)

    assert properties_of(server, copy.name) == properties_of(server, created.name)
    drop_database(server, copy.name)


def test_a_clone_of_a_database_without_privileges_has_none(server: Throwaway, created: Database) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"revoke all on database {created.name} from public, postgres".encode())

    copy = clone(server, created.name)

    assert properties_of(server, copy.name) == properties_of(server, created.name)
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


def test_an_empty_database_is_created_with_an_owner(server: Throwaway) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("drop role if exists owner_of_one")
        connection.execute("create role owner_of_one")

    create_database(server, "owned", owner="owner_of_one")

    properties = properties_of(server, "owned")
    assert isinstance(properties, tuple)
    assert properties[0] == "owner_of_one"
    drop_database(server, "owned")


def test_a_missing_template_is_named_in_the_error(server: Throwaway) -> None:
    with pytest.raises(StatementFailed, match="no_such_template"):
        clone(server, "no_such_template")


def test_an_existing_name_is_an_error(server: Throwaway, created: Database) -> None:
    with pytest.raises(StatementFailed, match="already exists"):
        create_database(server, created.name)


def test_a_template_in_use_is_an_error_and_no_clone_remains(server: Throwaway, created: Database) -> None:
    with psycopg.connect(created.dsn), pytest.raises(StatementFailed) as raised:
        clone(server, created.name, "never_created")

    assert "being accessed by other users" in raised.value.message
    assert properties_of(server, "never_created") is None


def test_a_clone_that_cannot_be_completed_is_removed(
    server: Throwaway, created: Database, monkeypatch
) -> None:
    monkeypatch.setattr("aigym_db.database.servers.databases.query", _with_a_failing_last_statement)

    with pytest.raises(StatementFailed, match="missing_role"):
        clone(server, created.name, "never_kept")

    assert properties_of(server, "never_kept") is None


def test_dropping_a_database_ends_its_sessions(server: Throwaway) -> None:
    with psycopg.connect(create_database(server, "crowded").dsn) as connection:
        drop_database(server, "crowded")

        assert properties_of(server, "crowded") is None
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")


def test_dropping_a_missing_database_is_no_error(server: Throwaway) -> None:
    drop_database(server, "no_such_database")


def _with_a_failing_last_statement(name: str) -> str:
    from aigym_db.database.queries import query

    failing = "union all select 6, 0, 'grant connect on database never_kept to missing_role'"
    return query(name).replace(")\nselect statement", f"{failing}\n)\nselect statement")
