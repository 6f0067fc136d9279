"""How far a statement is that takes its time."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from aigym_db.database.queries import query
from aigym_db.migrate.observer import Progress


def progress(connection: Connection[Any], pid: int) -> Progress | None:
    """How far the statement is that the session `pid` runs; None when the server does not count it.

    It counts CREATE INDEX, REINDEX, VACUUM, CLUSTER, ANALYZE and COPY.
    """
    row = connection.execute(query("locks/progress"), {"pid": pid}).fetchone()
    return None if row is None else Progress(*row)
