"""`aigym-db seed SET`."""

from __future__ import annotations

from contextlib import closing

import click

from aigym_db.cli.app import App, pass_app


@click.command(short_help="Load a seed set: reference, development, test.")
@click.argument("name", metavar="SET")
@pass_app
def command(app: App, name: str) -> None:
    """Load seeds/SET in one transaction. Existing rows are not changed, so the command can be repeated.

    Only the set `reference` may be loaded into a production database, which is marked with
    alter database … set aigym.environment = 'production'.
    """
    from aigym_db.database.connect import shown
    from aigym_db.database.migration_session import open_session
    from aigym_db.report.documents import SeedResults
    from aigym_db.seeds.load import load
    from aigym_db.seeds.plan import seed_files

    files = seed_files(app.project, name)
    dsn = app.dsn(start=True)
    app.report.require_completion()
    session = open_session(dsn, app.project.session, lock_timeout_ms=app.project.lock_timeout_ms)
    with closing(session) as connection:
        loaded = load(connection, name, files, app.project.owner)
    written = sum(file.rows_written for file in loaded)
    app.report.print_line(f"Seed set {name}: {written} rows written to {shown(dsn)}.")
    app.report.add_results(lambda: SeedResults(set=name, rows_written=written))
