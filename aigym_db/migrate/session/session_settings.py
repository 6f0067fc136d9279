"""The session that executes migrations: how it is opened and reset."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from aigym_db.database.connect import SessionSettings
from aigym_db.database.migration_session import open_session
from aigym_db.migrate.options import Options

RESET_ALL = "reset all"
"""Resets every setting that a file set for the session, and custom ones, which pg_settings does not list. The
session's own settings were sent as startup options, so RESET ALL restores them."""
PREPARED = "aigym_db_"
"""Prefix of the package's prepared statements; they do not count as session state of a file."""


def connect(dsn: str, options: Options) -> Connection[Any]:
    """Return the connection that executes the migrations; raise what `database.connect.connect` raises."""
    return open_session(
        dsn,
        options.session,
        lock_timeout_ms=options.lock_timeout_ms,
        idle_in_transaction_timeout_ms=SessionSettings().idle_in_transaction_timeout_ms,
    )
