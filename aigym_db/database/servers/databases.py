"""Databases on a server that the package started: create, clone, drop."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from aigym_db.database.connect import explain_error
from aigym_db.database.queries import query
from aigym_db.database.servers.server import Server


@dataclass(frozen=True, slots=True)
class Database:
    """A database on such a server."""

    name: str
    dsn: str
    """A URL that connects as the superuser."""


def create_database(server: Server, name: str | None = None, *, owner: str | None = None) -> Database:
    """Create an empty database, by default with a random name.

    Raise StatementFailed (AIG-S002) if a database of that name exists.
    """
    name = name or _new_name()
    with _maintenance(server) as connection:
        _run(connection, query("servers/create_statement"), {"name": name, "owner": owner})
    return Database(name, server.dsn(name))


@contextmanager
def temporary_database(server: Server, *, owner: str | None = None) -> Iterator[Database]:
    """Create an empty database for the `with` block and drop it at the end."""
    database = create_database(server, owner=owner)
    try:
        yield database
    finally:
        drop_database(server, database.name)


def clone(server: Server, template: str, name: str | None = None) -> Database:
    """Create a database with the content and the properties of `template`.

    `CREATE DATABASE … TEMPLATE` omits the owner, the privileges, the settings (of the database and of roles
    in it), the connection limit and the comment: they are copied afterwards. No session may be connected to
    `template`.

    Raise StatementFailed (AIG-S002) if the server rejects one of the statements; no database remains then.
    """
    name = name or _new_name()
    with _maintenance(server) as connection:
        _run(connection, query("servers/clone_statements"), {"template": template, "name": name})
    return Database(name, server.dsn(name))


def drop_database(server: Server, name: str) -> None:
    """Drop a database and terminate its sessions; do nothing if it does not exist."""
    with _maintenance(server) as connection:
        _run(connection, query("servers/drop_statement"), {"name": name})


def _maintenance(server: Server) -> psycopg.Connection[tuple[str]]:
    try:
        return psycopg.connect(server.dsn(), autocommit=True, application_name="aigym-db")
    except psycopg.Error as error:
        raise explain_error(error) from error


def _run(connection: psycopg.Connection[tuple[str]], statements: str, values: dict[str, str | None]) -> None:
    """Execute what the query `statements` returns: the first statement alone, the others as one transaction.

    If one of the others fails, the database that the first one created is dropped.
    """
    created = False
    try:
        first, *others = [row[0] for row in connection.execute(statements.encode(), values)]
        connection.execute(first.encode())
        created = True
        if others:
            connection.execute(";".join(others).encode())
    except psycopg.Error as error:
        if created:
            remove = connection.execute(query("servers/drop_statement").encode(), values).fetchone()
            assert remove is not None
            connection.execute(remove[0].encode())
        raise explain_error(error) from error


def _new_name() -> str:
    return f"aigym_{secrets.token_hex(6)}"
