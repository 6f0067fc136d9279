"""`aigym-db status`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.cli.shared_options import VERSION, targets_option
from aigym_db.errors import BadCommandLine
from aigym_db.model.migration import Applied, Migration
from aigym_db.model.wording import counted

if TYPE_CHECKING:
    from aigym_db.migrate.status import Status
    from aigym_db.report.documents import StatusResults


@click.command(short_help="List applied and pending migrations.")
@click.option(
    "--sql", type=VERSION, metavar="VERSION", help="Print the text of this migration as it was applied."
)
@targets_option
@pass_app
def command(app: App, sql: int | None, targets: Path | None) -> int:
    """Compare the migrations with the database. Requires read access only, so a standby is sufficient.

    The ledger stores the text of every migration; --sql prints it, also if the file is missing.
    """
    from aigym_db.cli.history import history
    from aigym_db.database.connect import shown
    from aigym_db.migrate.history import applied_out_of_order
    from aigym_db.migrate.status import status
    from aigym_db.project.lock_file import frozen

    if sql is not None:
        if targets is not None:
            raise BadCommandLine("`--sql` and `--targets` exclude each other.", hint="Specify one of them.")
        _print_stored(app, sql)
        return 0
    files = history(app)
    lock = frozen(app.project, files)
    if targets is not None:
        from aigym_db.cli import fleet

        return fleet.status(app, fleet.fleet(app, targets), files, lock)
    dsn = app.dsn()
    current = status(dsn, files, frozen=lock, local=app.accepts_drafts(dsn))
    rows, pending = current.applied, current.pending
    interrupted = {(partial.version, partial.name): partial for partial in current.unfinished or ()}
    after = applied_out_of_order(rows)
    app.report.print_line(f"{shown(dsn)}: {len(rows)} applied, {len(pending)} pending.")
    newest = {row.version for row in rows[-3:]}

    def suffix(migration: Applied | Migration) -> str:
        partial = interrupted.get((migration.version, migration.name))
        return f"  ({partial})" if partial else ""

    listed = [row for row in rows if row.version in newest or row.version in after or suffix(row)]
    if len(listed) < len(rows):
        app.report.print_line(f"  … {counted(len(rows) - len(listed), 'earlier migration')}")
    for row in rows:
        if row in listed:
            late = f"  (out of order, after {after[row.version]:04d})" if row.version in after else ""
            when = f"{row.applied_at:%Y-%m-%d %H:%M %Z}"
            late += suffix(row)
            app.report.print_line(f"  applied {row.label}  {when} by {row.applied_by}{late}")
    for migration in pending:
        phase = f"  ({migration.phase})" if migration.phase else ""
        draft = "" if migration.version in lock else "  (draft)"
        app.report.print_line(f"  pending {migration.label}{phase}{draft}{suffix(migration)}")
    for partial in interrupted.values():
        if not any((partial.version, partial.name) == (file.version, file.name) for file in files):
            app.report.print_line(f"  no file {partial.label}  ({partial})")
    if current.unfinished is None:
        app.report.print_line("  This role has no permission to read which migrations are partially applied.")
    app.report.add_results(lambda: _results(current, after, lock))
    return 0


def _results(current: Status, out_of_order_after: Mapping[int, int], frozen: frozenset[int]) -> StatusResults:
    from aigym_db.report import entries
    from aigym_db.report.documents import StatusResults

    return StatusResults(
        applied=entries.applied(current.applied, out_of_order_after),
        pending=entries.pending(current.pending, frozen),
        unfinished=entries.unfinished(current.unfinished),
    )


def _print_stored(app: App, version: int) -> None:
    from aigym_db.database.connect import connect, shown
    from aigym_db.database.ledger import stored_sql
    from aigym_db.report.documents import StatusResults

    dsn = app.dsn()
    with closing(connect(dsn, autocommit=True)) as connection:
        text = stored_sql(connection, version)
    if text is None:
        raise BadCommandLine(
            f"The ledger of {shown(dsn)} contains no text of {version:04d} that this role can read.",
            hint="Run `aigym-db status`, or connect as the role that applies migrations.",
        )
    app.report.print(text)
    app.report.add_results(lambda: StatusResults(sql=text))
