"""The project's migrations, for commands that also know a database."""

from __future__ import annotations

from contextlib import closing, suppress

import psycopg

from aigym_db.cli.app import App
from aigym_db.errors import AigymError, BadHistory, MissingMigration
from aigym_db.model.migration import Migration
from aigym_db.project.migrations import migrations


def history(app: App) -> tuple[Migration, ...]:
    """Every migration of the project, oldest first.

    Raises what reading them raises; of numbers that are there twice or not at all it says what the database
    has run, where that can be asked.
    """
    try:
        return migrations(app.project)
    except (BadHistory, MissingMigration) as refusal:
        with suppress(AigymError, psycopg.Error):
            refusal.detail = "\n".join(filter(None, (refusal.detail, _what_ran(app))))
        raise


def _what_ran(app: App) -> str:
    from aigym_db.database.connect import connect, shown
    from aigym_db.database.ledger import applied
    from aigym_db.migrate.history_mismatch import kept
    from aigym_db.project.version_sequence import disputed

    numbers = disputed(app.project.root / "migrations")
    dsn = app.dsn()
    with closing(connect(dsn, autocommit=True)) as connection:
        rows = [row for row in applied(connection) if row.version in numbers]
        files = {path.name for path in (app.project.root / "migrations").glob("*.sql")}
        gone = (row for row in rows if f"{row.version:04d}_{row.name}.sql" not in files)
        said = [f"{shown(dsn)} has run {row.version:04d} {row.name}." for row in rows]
        return "\n".join(filter(None, (*said, kept(connection, gone))))
