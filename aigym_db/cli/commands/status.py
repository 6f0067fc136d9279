"""`aigym-db status`."""

from __future__ import annotations

from contextlib import closing

import click

from aigym_db.cli.app import App, pass_app


@click.command(short_help="What is applied and what is pending; changes nothing.")
@pass_app
def command(app: App) -> None:
    """Compares the migrations with the database. Reads only: a read-only role or a standby will do."""
    from aigym_db.database.connect import connect, shown
    from aigym_db.database.ledger import applied
    from aigym_db.migrate.plan import locked, plan_up
    from aigym_db.project.lock import frozen
    from aigym_db.project.migrations import migrations

    files = migrations(app.project)
    lock = frozen(app.project, files)
    dsn = app.dsn()
    with closing(connect(dsn, autocommit=True)) as connection:
        rows = applied(connection)
    pending = plan_up(files, rows).migrations
    if not app.takes_drafts(dsn):
        locked(files, rows, lock)
    app.report.say(f"{shown(dsn)}: {len(rows)} applied, {len(pending)} pending.")
    for row in rows[-3:]:
        app.report.say(
            f"  applied {row.version:04d} {row.name}  {row.applied_at:%Y-%m-%d %H:%M %Z} by {row.applied_by}"
        )
    for migration in pending:
        draft = "" if migration.version in lock else "  (draft)"
        app.report.say(f"  pending {migration.label}{draft}")
    app.report.data |= {
        "applied": [
            {
                "version": row.version,
                "name": row.name,
                "checksum": row.checksum,
                "applied_at": row.applied_at.isoformat(),
            }
            for row in rows
        ],
        "pending": [
            {"version": one.version, "name": one.name, "frozen": one.version in lock} for one in pending
        ],
    }
