"""What a session runs under that migrates."""

from __future__ import annotations

from aigym_db.database.connect import SessionSettings
from aigym_db.migrate.options import Options
from aigym_db.syntax.quote import quoted

SET_BACK = "reset all"
"""Ends what a file set for the whole session, also settings with names of its own, which no list shows. The
session's own settings came with the connection, so they are what this goes back to."""
PREPARED = "aigym_db_"
"""How the names of our own prepared statements begin; they do not count as left behind."""

SEARCH_PATH = "public"
"""Where names without a schema are looked for and made, whoever connects."""


def contract(options: Options) -> SessionSettings:
    """The settings of the connection that sends the migrations."""
    return SessionSettings(lock_timeout_ms=options.lock_timeout_ms, search_path=search_path(options))


def search_path(options: Options) -> str:
    """Where names without a schema are looked for and made: in the tenant's schema alone, if there is one."""
    return quoted(options.scope) if options.scope else SEARCH_PATH
