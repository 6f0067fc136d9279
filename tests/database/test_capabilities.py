"""What a server can do, asked in one query."""

from __future__ import annotations

import psycopg
import pytest

from aigym_db.database.capability import probe
from aigym_db.database.connect import SessionSettings, connect
from aigym_db.database.queries import query
from aigym_db.database.servers import available, throwaway
from aigym_db.errors import ServerError


@pytest.mark.parametrize("name", available())
def test_every_installed_server_is_probed(name: str) -> None:
    with throwaway(name) as server, connect(server.dsn()) as connection:
        found = probe(connection)

    assert found.major == server.major
    assert found.superuser
    assert found.sees_every_row
    assert not found.standby
    assert not found.read_only
    assert "plpgsql" in found.extensions_installed


def test_the_embedded_server_has_no_icu_and_hardly_an_extension(database: str) -> None:
    with connect(database) as connection:
        found = probe(connection)

    assert not found.icu
    assert found.lacks(frozenset({"pgcrypto", "vector"})) == {"pgcrypto"}


@pytest.mark.parametrize("name", [name for name in available() if name.startswith("system")])
def test_a_server_of_the_operating_system_has_icu(name: str) -> None:
    with throwaway(name) as server, connect(server.dsn()) as connection:
        assert probe(connection).icu


def test_the_role_is_the_one_the_session_acts_as(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("drop role if exists plain_role")
        connection.execute("create role plain_role createrole")

    with connect(database, session=SessionSettings(role="plain_role")) as connection:
        found = probe(connection)

    assert found.role == "plain_role"
    assert not found.superuser
    assert not found.sees_every_row
    assert found.may_create_roles
    assert not found.may_create_databases


def test_a_session_that_may_only_read_says_so(database: str) -> None:
    with connect(f"{database}&options=-c%20default_transaction_read_only%3Don") as connection:
        assert probe(connection).read_only


def test_a_probe_that_fails_is_told_as_every_failure(database: str) -> None:
    with connect(database) as connection:
        connection.close()

        with pytest.raises(ServerError):
            probe(connection)


def test_a_query_is_the_text_of_its_file_and_says_what_it_answers() -> None:
    assert query("connect/capabilities").startswith("-- What this server can do")


def test_a_query_that_does_not_exist_is_a_mistake_of_ours() -> None:
    with pytest.raises(FileNotFoundError):
        query("no/such")
