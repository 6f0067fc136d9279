"""`aigym-db rollback`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.cli.shared_options import lock_wait_option, targets_option
from aigym_db.errors import BadCommandLine, DataLoss

if TYPE_CHECKING:
    from aigym_db.migrate.observer import Finished
    from aigym_db.model.migration import Migration, Plan


@click.command(short_help="Undo migrations, newest first.")
@click.option(
    "--to", type=int, metavar="VERSION", help="Undo everything after this migration; 0: everything."
)
@click.option("--steps", type=int, metavar="N", help="Undo the newest N; one by default.")
@click.option("--yes", is_flag=True, help="Also where data would be lost.")
@lock_wait_option
@click.option(
    "--resolve", type=click.Choice(["done", "again"]), help="How a statement of unknown outcome ended."
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
    """Runs the down of each migration in its own transaction together with its ledger row.

    Refuses before anything happens when one of them says it is irreversible. What would be lost is listed
    first; on a terminal you are asked, elsewhere it takes --yes. With --targets, --to says how far.
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
                "`rollback --targets` goes back to a version, for its targets may be at different ones.",
                hint="Say which with `--to`, and leave `--steps` out.",
            )
        settled = options(app, None, lock, lock_wait, resolve)
        return fleet.rollback(app, fleet.fleet(app, targets), files, to, yes, settled)
    dsn = app.dsn(start=True)
    settled = options(app, dsn, lock, lock_wait, resolve)

    def undo(sure: bool, plan: Plan | None = None) -> tuple[Finished, ...]:
        with watched(app, files, "undone") as watching:
            return rollback(
                dsn, files, to=to, steps=steps, yes=sure, plan=plan, options=settled, observer=watching
            )

    try:
        done = undo(yes)
    except DataLoss as refusal:
        if not app.can_ask:
            raise
        app.report.refused(refusal)
        if not click.confirm("Undo all the same?", err=True):
            app.report.say("Nothing was undone.")
            return refusal.exit_status
        app.report.findings.clear()
        done = undo(True, refusal.plan)
    app.report.say(f"{len(done)} undone." if done else _nothing(files, to, resolve))
    return 0


def _nothing(files: tuple[Migration, ...], to: int | None, resolve: str | None) -> str:
    # A version that is not applied is refused: with nothing after it, the database is there.
    for file in files:
        if file.version == to:
            return f"Nothing to undo: the database is at {file.label}."
    # One that was given up may have been all that was asked for, with others applied before it.
    return "Nothing to undo: nothing is applied." if resolve is None else "No migration was undone."
