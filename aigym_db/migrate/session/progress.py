"""The progress of a running statement."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from aigym_db.database.queries import query
from aigym_db.migrate.observer import Progress


def progress(connection: Connection[Any], pid: int) -> Progress | None:
    """Return the progress of the statement that the session `pid` runs; None if it is not reported.

    It counts CREATE INDEX, REINDEX, VACUUM, CLUSTER, ANALYZE and COPY.
    """
    row = connection.execute(query("locks/progress"), {"pid": pid}).fetchone()
    return None if row is None else Progress(*row)
