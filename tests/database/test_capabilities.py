"""Capabilities of a server, read with one query."""

from __future__ import annotations

import psycopg
import pytest

from aigym_db.database.capability import probe
from aigym_db.database.connect import SessionSettings, connect
from aigym_db.database.queries import query
from aigym_db.database.servers.binaries import available
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.errors import ServerError


@pytest.mark.parametrize("name", available())
def test_every_installed_server_is_probed(name: str) -> None:
    with throwaway(name) as server, connect(server.dsn()) as connection:
        capabilities = probe(connection)

    assert capabilities.major == server.major
    assert capabilities.superuser
    assert capabilities.sees_every_row
    assert not capabilities.standby
    assert not capabilities.read_only
    assert "plpgsql" in capabilities.extensions_installed


def test_the_embedded_server_has_no_icu_and_few_extensions(database: str) -> None:
    with connect(database) as connection:
        capabilities = probe(connection)

    assert not capabilities.icu
    assert capabilities.lacks(frozenset({"pgcrypto", "vector"})) == {"pgcrypto"}


@pytest.mark.parametrize("name", [name for name in available() if name.startswith("system")])
def test_a_server_of_the_operating_system_has_icu(name: str) -> None:
    with throwaway(name) as server, connect(server.dsn()) as connection:
        assert probe(connection).icu


def test_the_role_is_the_current_role_of_the_session(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("drop role if exists plain_role")
        connection.execute("create role plain_role createrole")

    with connect(database, session=SessionSettings(role="plain_role")) as connection:
        capabilities = probe(connection)

    assert capabilities.role == "plain_role"
    assert not capabilities.superuser
    assert not capabilities.sees_every_row
    assert capabilities.may_create_roles
    assert not capabilities.may_create_databases


def test_a_read_only_session_is_reported_as_read_only(database: str) -> None:
    with connect(f"{database}&options=-c%20default_transaction_read_only%3Don") as connection:
        assert probe(connection).read_only


def test_a_failed_probe_raises_a_server_error(database: str) -> None:
    with connect(database) as connection:
        connection.close()

        with pytest.raises(ServerError):
            probe(connection)


def test_a_query_is_the_text_of_its_file_and_begins_with_a_comment() -> None:
    assert query("connect/capabilities").startswith("-- The features of this server")


def test_a_missing_query_is_a_programming_error() -> None:
    with pytest.raises(FileNotFoundError):
        query("no/such")
