"""Databases on a server of ours: made, cloned from a template, dropped."""

from __future__ import annotations

import secrets

import psycopg

from aigym_db.database.connect import explain_error
from aigym_db.database.queries import query
from aigym_db.database.servers.server import Server


def create(server: Server, name: str | None = None, *, owner: str | None = None) -> str:
    """The DSN of a new, empty database; without a name it gets one of its own.

    Raises StatementFailed (AIG-S002) when it exists already.
    """
    name = name or _new_name()
    with _maintenance(server) as connection:
        _run(connection, query("servers/create_statement"), {"name": name, "owner": owner})
    return server.dsn(name)


def clone(server: Server, template: str, name: str | None = None) -> str:
    """The DSN of a new database with everything in `template`, and everything said about it.

    `CREATE DATABASE … TEMPLATE` leaves out the owner, the privileges, the settings (of the database and of
    roles in it), the connection limit and the comment: they are put back. Nobody may be connected to
    `template`.

    Raises StatementFailed (AIG-S002).
    """
    name = name or _new_name()
    with _maintenance(server) as connection:
        _run(connection, query("servers/clone_statements"), {"template": template, "name": name})
    return server.dsn(name)


def drop(server: Server, name: str) -> None:
    """Removes a database and whoever is connected to it; one that does not exist is no error."""
    with _maintenance(server) as connection:
        _run(connection, query("servers/drop_statement"), {"name": name})


def _maintenance(server: Server) -> psycopg.Connection[tuple[str]]:
    try:
        return psycopg.connect(server.dsn(), autocommit=True, application_name="aigym-db")
    except psycopg.Error as error:
        raise explain_error(error) from error


def _run(connection: psycopg.Connection[tuple[str]], statements: str, values: dict[str, str | None]) -> None:
    """Lets the server write the statements, then runs the first alone and the others as one transaction.

    When one of the others fails, the database that the first one made is removed.
    """
    made = False
    try:
        first, *others = [row[0] for row in connection.execute(statements.encode(), values)]
        connection.execute(first.encode())
        made = True
        if others:
            connection.execute(";".join(others).encode())
    except psycopg.Error as error:
        if made:
            remove = connection.execute(query("servers/drop_statement").encode(), values).fetchone()
            assert remove is not None
            connection.execute(remove[0].encode())
        raise explain_error(error) from error


def _new_name() -> str:
    return f"aigym_{secrets.token_hex(6)}"
