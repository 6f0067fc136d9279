"""The session in which migrations, templates and seeds run, the same for `migrate` and every replay."""

from __future__ import annotations

import re
from typing import Any

import psycopg

from aigym_db.database.connect import SessionSettings, connect
from aigym_db.model.session import MigrationSession
from aigym_db.syntax.quote import quoted

Connection = psycopg.Connection[tuple[Any, ...]]


def open_session(
    dsn: str | None,
    session: MigrationSession,
    *,
    lock_timeout_ms: int = 0,
    idle_in_transaction_timeout_ms: int = 0,
) -> Connection:
    """Return a connection in autocommit mode that runs files as `migrate` does; timeouts of 0 are no limit.

    JIT keeps the server's setting, because the statements are the user's. Raise what
    `aigym_db.database.connect.connect` raises.
    """
    settings = SessionSettings(
        lock_timeout_ms=lock_timeout_ms,
        idle_in_transaction_timeout_ms=idle_in_transaction_timeout_ms,
        search_path=search_path(session),
        jit=None,
    )
    return connect(dsn, session=settings, autocommit=True)


def search_path(session: MigrationSession) -> str:
    """Return the value of the setting `search_path`, each schema quoted where PostgreSQL requires it."""
    # A list of identifiers, not SQL: keywords need no quotes.
    return ", ".join(
        name if re.fullmatch("[a-z_][a-z0-9_]*", name) else quoted(name) for name in session.search_path
    )
