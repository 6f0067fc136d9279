"""The migrations of the project, for commands that connect to a database."""

from __future__ import annotations

from contextlib import closing, suppress

import psycopg

from aigym_db.cli.app import App
from aigym_db.errors import AigymError, BadHistory, MissingMigration
from aigym_db.model.migration import Migration
from aigym_db.project.migrations import migrations


def history(app: App) -> tuple[Migration, ...]:
    """Return the migrations of the project, oldest first.

    Raise BadHistory (AIG-P009) or MissingMigration (AIG-T002) if a number is duplicated or missing. The
    detail lists what the database has applied under these numbers, if it can be reached.
    """
    try:
        return migrations(app.project)
    except (BadHistory, MissingMigration) as error:
        applied = ""
        with suppress(AigymError, psycopg.Error):
            applied = _applied(app)
        raise error.amended(added_detail=applied) from error.__cause__


def _applied(app: App) -> str:
    """Return one line per applied migration whose number is duplicated or missing."""
    from aigym_db.database.connect import connect, shown
    from aigym_db.database.ledger import applied
    from aigym_db.migrate.history_mismatch import kept
    from aigym_db.project.version_sequence import conflicting_versions

    numbers = conflicting_versions(app.project.root / "migrations")
    dsn = app.dsn()
    with closing(connect(dsn, autocommit=True)) as connection:
        rows = [row for row in applied(connection) if row.version in numbers]
        missing = (row for row in rows if not (app.project.root / row.file).is_file())
        lines = [f"{shown(dsn)} has applied {row.label}." for row in rows]
        return "\n".join(filter(None, (*lines, kept(connection, missing))))
