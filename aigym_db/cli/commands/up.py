"""`aigym-db up`."""

from __future__ import annotations

from dataclasses import replace

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.report import console


@click.command(short_help="Create or update the local database: migrate, seed, verify, test access.")
@pass_app
def command(app: App) -> int:
    """Migrate, seed and verify the local database of the project; DATABASE_URL is ignored.

    If nothing has changed since the last successful run, nothing is executed.
    """
    from aigym_db.cli.up_steps import nothing_changed, remember, steps
    from aigym_db.database.servers.cleanup import gc
    from aigym_db.report.documents import UpResults
    from aigym_db.verify.verify import exit_status

    app.reject_database("the project's local database")
    app = replace(app, only_local=True)
    app.report.require_completion()
    dsn = app.dsn(start=True)
    if nothing_changed(app, dsn):
        app.report.print_line("Up to date: nothing has changed since the last verification.")
    else:
        for name, step in steps(app, dsn):
            app.report.progress(name)
            summary = step()
            if summary is None:
                app.report.print_line(f"{console.bad('failed')}  {name}")
                return exit_status(app.report.findings)
            app.report.print_line(f"{console.good('ok')}      {name:9} {summary}")
        remember(app, dsn)
        gc()
    app.report.print_line()
    app.report.print_line(console.bold(dsn))
    app.report.print_line()
    app.report.print_line("Next:")
    app.report.print_line("  aigym-db server psql        open psql on this database")
    app.report.print_line(
        "  aigym-db test --mutants     inject faults into every policy; the access matrix must detect them"
    )
    app.report.print_line(
        "  aigym-db new NAME           draft a migration from what you changed in schema/ or policies/"
    )
    app.report.add_results(lambda: UpResults(dsn=dsn))
    return 0
