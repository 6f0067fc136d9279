"""The project's own development database, and the server it lives on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigym_db.project.config import Project

if TYPE_CHECKING:
    from aigym_db.database.servers import LocalServer

DATABASE = "development"
"""The name of the database `up` makes on the local server."""


def server(project: Project, name: str | None = None) -> LocalServer:
    """The local server of a project, running or not; `name` is the version asked for, e.g. `embedded:16`."""
    from aigym_db.database.servers import local

    return local(project.root, name)


def local_dsn(project: Project, name: str | None, *, start: bool = False) -> str:
    """The DSN of the project's development database, made first if need be.

    Raises ServerUnfit (AIG-G005) when the server does not run and `start` does not ask for it.
    """
    wanted = server(project, name)
    return wanted.serving(DATABASE) or _made(wanted, start)


def _made(wanted: LocalServer, start: bool) -> str:
    """The same where the server may not run yet, or not hold the database."""
    import psycopg

    from aigym_db.database.servers import create_database

    running = wanted.start() if start else wanted.server()
    dsn = running.dsn(DATABASE)
    try:
        psycopg.connect(dsn).close()
    except psycopg.OperationalError:
        with psycopg.connect(running.dsn(), autocommit=True) as connection:
            there = connection.execute("select from pg_database where datname = %s", (DATABASE,)).fetchone()
        if there is not None:
            raise
        create_database(running, DATABASE)
    return dsn
