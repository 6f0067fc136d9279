"""The project's own development database, and the server it lives on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigym_db.errors import StatementFailed
from aigym_db.project.config import Project

if TYPE_CHECKING:
    from aigym_db.database.servers import LocalServer

DATABASE = "development"
"""The name of the database `up` makes on the local server."""


def server(project: Project, name: str | None = None) -> LocalServer:
    """The local server of a project, running or not; `name` is the version asked for, e.g. `embedded:16`."""
    from aigym_db.database.servers import local

    # Without a name it is what it was made as, unless the project asks for another than the usual one.
    wanted = None if project.server == Project.__dataclass_fields__["server"].default else project.server
    return local(project.root, name or wanted)


def is_own(project: Project, dsn: str) -> bool:
    """Whether a DSN that somebody gave leads to the local server of the project."""
    own = server(project).listens_at() if project.local.is_dir() else None
    if own is None:
        return False
    from aigym_db.database.dsn import parameters

    found = parameters(dsn)
    here = found.get("hostaddr", "127.0.0.1") == "127.0.0.1"
    return here and found.get("port") == own[1] and found.get("host") in (own[0], "127.0.0.1", "localhost")


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
        try:
            create_database(running, DATABASE)
        except StatementFailed as refusal:
            # Somebody else who started at the same time may have made it meanwhile.
            if not isinstance(
                refusal.__cause__, psycopg.errors.UniqueViolation | psycopg.errors.DuplicateDatabase
            ):
                raise
    return dsn
