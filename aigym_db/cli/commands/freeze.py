"""`aigym-db freeze`."""

from __future__ import annotations

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.project.lock_file import freeze
from aigym_db.project.migrations import migrations


@click.command(short_help="Freeze all drafts: add them to the lock file.")
@pass_app
def command(app: App) -> None:
    """Add the checksum of every draft to migrations/LOCK.

    Frozen migrations are never edited; commit the lock file together with the migrations.
    """
    from aigym_db.report.documents import FreezeResults

    app.report.require_completion()
    added = freeze(app.project, migrations(app.project))
    for migration in added:
        app.report.print_line(f"frozen {migration.label}")
    app.report.print_line(
        f"{len(added)} frozen." if added else "Nothing to freeze: every migration is frozen."
    )
    app.report.add_results(lambda: FreezeResults(frozen=[migration.label for migration in added]))
