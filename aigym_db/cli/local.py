"""The local development database of a project, and its server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigym_db.errors import StatementFailed
from aigym_db.project.config import Project

if TYPE_CHECKING:
    from aigym_db.database.servers.local import LocalServer

DATABASE = "development"
"""Name of the database that `up` creates on the local server."""


def server(project: Project, name: str | None = None) -> LocalServer:
    """Return the local server of a project, running or not; `name` is its version, e.g. `embedded:16`."""
    from aigym_db.database.servers.local import local

    # By default the version it was created with, unless the project specifies one.
    version = None if project.server == Project.__dataclass_fields__["server"].default else project.server
    return local(project.root, name or version)


def is_own(project: Project, dsn: str) -> bool:
    """True if a connection string leads to the local server of the project."""
    own = server(project).listens_at() if project.local.is_dir() else None
    if own is None:
        return False
    from aigym_db.database.dsn import parameters

    values = parameters(dsn)
    here = values.get("hostaddr", "127.0.0.1") == "127.0.0.1"
    return here and values.get("port") == own[1] and values.get("host") in (own[0], "127.0.0.1", "localhost")


def local_dsn(project: Project, name: str | None, *, start: bool = False) -> str:
    """Return the connection string of the development database, which is created if it does not exist.

    Raise ServerUnfit (AIG-G005) if the server is not running and `start` is false.
    """
    local_server = server(project, name)
    return local_server.serving(DATABASE) or _create(local_server, start)


def _create(local_server: LocalServer, start: bool) -> str:
    """Return the connection string, after starting the server and creating the database if necessary."""
    import psycopg

    from aigym_db.database.servers.databases import create_database

    running = local_server.start() if start else local_server.server()
    dsn = running.dsn(DATABASE)
    try:
        psycopg.connect(dsn).close()
    except psycopg.OperationalError:
        with psycopg.connect(running.dsn(), autocommit=True) as connection:
            there = connection.execute("select from pg_database where datname = %s", (DATABASE,)).fetchone()
        if there is not None:
            raise
        try:
            create_database(running, DATABASE)
        except StatementFailed as error:
            # A concurrent command may have created it in the meantime.
            if not isinstance(
                error.__cause__, psycopg.errors.UniqueViolation | psycopg.errors.DuplicateDatabase
            ):
                raise
    return dsn
