"""`aigym-db migrate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.cli.shared_options import VERSION, lock_wait_option, targets_option
from aigym_db.model.migration import Migration, Phase

if TYPE_CHECKING:
    from aigym_db.report.documents import MigrateResults


@click.command(short_help="Apply pending migrations.")
@click.option("--to", type=VERSION, metavar="VERSION", help="Last migration to apply (default: the newest).")
@lock_wait_option
@click.option(
    "--resolve",
    type=click.Choice(["done", "again"]),
    help="Outcome of an interrupted statement that cannot be determined: `done`, or execute it `again`.",
)
@click.option(
    "--phase",
    type=click.Choice(["expand", "contract"]),
    help="Apply only migrations of this phase (default: both).",
)
@targets_option
@click.option(
    "--allow-out-of-order",
    "out_of_order",
    type=VERSION,
    multiple=True,
    metavar="VERSION",
    help="Apply this migration although a newer one is applied. Can be repeated.",
)
@pass_app
def command(
    app: App,
    to: int | None,
    lock_wait: float | None,
    resolve: Literal["done", "again"] | None,
    phase: Phase | None,
    targets: Path | None,
    out_of_order: tuple[int, ...],
) -> int:
    """Apply pending migrations in order, each in its own transaction together with its ledger row.

    Can be repeated at any time, and several runs can be started at once. `--phase expand` applies the
    migrations before the first contract, `--phase contract` the contract migrations that are next.
    """
    from aigym_db.cli.history import history
    from aigym_db.cli.options import options, watched
    from aigym_db.migrate.apply import migrate
    from aigym_db.migrate.phases import phase_of
    from aigym_db.project.lock_file import frozen

    files = history(app)
    lock = frozen(app.project, files)
    if targets is not None:
        from aigym_db.cli import fleet

        meant = fleet.fleet(app, targets)
        settled = options(app, None, lock, lock_wait, resolve, phase=phase, out_of_order=out_of_order)
        return fleet.migrate(app, meant, files, to, settled)
    dsn = app.dsn(start=True)
    settled = options(app, dsn, lock, lock_wait, resolve, phase=phase, out_of_order=out_of_order)
    with watched(app, files, "up") as watching:
        done = migrate(dsn, files, to=to, options=settled, observer=watching)
    waiting = watching.waiting_for_phase
    nothing = " in this phase." if waiting else ": the database is up to date."
    app.report.print_line(f"{len(done)} applied." if done else f"Nothing to apply{nothing}")
    for migration in waiting:
        app.report.print_line(f"  left for {phase_of(migration)}: {migration.label}")
    app.report.add_results(lambda: _results(waiting))
    return 0


def _results(waiting: tuple[Migration, ...]) -> MigrateResults:
    from aigym_db.report import entries
    from aigym_db.report.documents import MigrateResults

    return MigrateResults(waiting=entries.waiting(waiting))
