"""`aigym-db migrate`."""

from __future__ import annotations

from typing import Literal

import click

from aigym_db.cli.app import App, pass_app


@click.command(short_help="Apply what is pending.")
@click.option("--to", type=int, metavar="VERSION", help="Stop after this migration.")
@click.option(
    "--lock-wait",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="How long to wait for another runner; else for ever.",
)
@click.option(
    "--resolve", type=click.Choice(["done", "again"]), help="How a statement of unknown outcome ended."
)
@pass_app
def command(
    app: App, to: int | None, lock_wait: float | None, resolve: Literal["done", "again"] | None
) -> None:
    """Applies every pending migration in order, each in its own transaction together with its ledger row.

    Says that a migration is applied after its commit. Safe to run again at any time, and from several places
    at once.
    """
    from aigym_db.cli.running import finished_json, options
    from aigym_db.migrate.apply import migrate
    from aigym_db.project.lock import frozen
    from aigym_db.project.migrations import migrations
    from aigym_db.report.progress import Watching

    files = migrations(app.project)
    lock = frozen(app.project, files)
    dsn = app.dsn(start=True)
    settled = options(app, dsn, lock, lock_wait, resolve)
    with Watching(app.report) as watching:
        done = migrate(dsn, files, to=to, options=settled, observer=watching)
    app.report.say(f"{len(done)} applied." if done else "Nothing to apply: the database is up to date.")
    app.report.data["applied"] = finished_json(done)
