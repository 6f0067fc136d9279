"""What a session runs under that migrates."""

from __future__ import annotations

from aigym_db.database.connect import Session
from aigym_db.migrate.options import Options

SEARCH_PATH = "public"
"""Where names without a schema are looked for and made, whoever connects."""


def contract(options: Options) -> Session:
    """The settings of the connection that sends the migrations."""
    return Session(lock_timeout_ms=options.lock_timeout_ms, search_path=SEARCH_PATH)
