"""`aigym-db rollback`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.cli.shared_options import VERSION, lock_wait_option, targets_option
from aigym_db.errors import BadCommandLine, DataLoss

if TYPE_CHECKING:
    from aigym_db.migrate.observer import Finished
    from aigym_db.model.migration import Migration, Plan


@click.command(short_help="Roll back migrations, newest first.")
@click.option(
    "--to", type=VERSION, metavar="VERSION", help="Roll back all migrations after VERSION; 0 rolls back all."
)
@click.option("--steps", type=int, metavar="N", help="Number of migrations to roll back (default: 1).")
@click.option("--yes", is_flag=True, help="Roll back even if data would be lost.")
@lock_wait_option
@click.option(
    "--resolve",
    type=click.Choice(["done", "again"]),
    help="Outcome of an interrupted statement that cannot be determined: `done`, or execute it `again`.",
)
@targets_option
@pass_app
def command(
    app: App,
    to: int | None,
    steps: int | None,
    yes: bool,
    lock_wait: float | None,
    resolve: Literal["done", "again"] | None,
    targets: Path | None,
) -> int:
    """Execute the down part of each migration in its own transaction, together with its ledger row.

    Nothing is rolled back if one of the migrations is irreversible. If data would be lost, the command lists
    the data loss and prompts for confirmation; without a terminal it requires --yes. --targets requires --to.
    """
    from aigym_db.cli.history import history
    from aigym_db.cli.options import options, watched
    from aigym_db.migrate.rollback import rollback
    from aigym_db.project.lock_file import frozen

    files = history(app)
    lock = frozen(app.project, files)
    if targets is not None:
        from aigym_db.cli import fleet

        if to is None or steps is not None:
            raise BadCommandLine(
                "`rollback --targets` requires `--to`: its targets may be at different versions.",
                hint="Specify the version with `--to` and omit `--steps`.",
            )
        settled = options(app, None, lock, lock_wait, resolve)
        return fleet.rollback(app, fleet.fleet(app, targets), files, to, yes, settled)
    dsn = app.dsn(start=True)
    settled = options(app, dsn, lock, lock_wait, resolve)

    def execute(confirmed: bool, plan: Plan | None = None) -> tuple[Finished, ...]:
        with watched(app, files, "down") as watching:
            return rollback(
                dsn, files, to=to, steps=steps, yes=confirmed, plan=plan, options=settled, observer=watching
            )

    try:
        done = execute(yes)
    except DataLoss as error:
        if not app.can_confirm:
            raise
        # The prompt replaces the hint to confirm with --yes.
        app.report.add_error(error.amended(hint="Make a backup first."))
        if not click.confirm("Roll back and lose this data?", err=True):
            app.report.print_line("Nothing was rolled back.")
            return error.exit_status
        app.report.findings.clear()
        done = execute(True, error.plan)
    app.report.print_line(f"{len(done)} rolled back." if done else _nothing(files, to, resolve))
    return 0


def _nothing(files: tuple[Migration, ...], to: int | None, resolve: str | None) -> str:
    # A version that is not applied is rejected before, so the database is at this version.
    for file in files:
        if file.version == to:
            return f"Nothing to roll back: the database is at {file.label}."
    # The resolved migration may have been the only one in the range.
    return (
        "Nothing to roll back: no migration is applied."
        if resolve is None
        else "No migration was rolled back."
    )
