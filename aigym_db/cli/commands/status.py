"""`aigym-db status`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.cli.shared_options import targets_option
from aigym_db.errors import BadCommandLine
from aigym_db.model.migration import Applied, Migration


@click.command(short_help="What is applied and what is pending; changes nothing.")
@click.option(
    "--sql", type=int, metavar="VERSION", help="Print the file of this migration as the database ran it."
)
@targets_option
@pass_app
def command(app: App, sql: int | None, targets: Path | None) -> int:
    """Compares the migrations with the database. Reads only: a read-only role or a standby will do.

    The ledger keeps the text of every migration; --sql prints it, also where the file is gone.
    """
    from aigym_db.cli.history import history
    from aigym_db.database.connect import shown
    from aigym_db.migrate.history import applied_out_of_order
    from aigym_db.migrate.status import standing
    from aigym_db.project.lock_file import frozen
    from aigym_db.report.status import pending_json, unfinished_json

    if sql is not None:
        if targets is not None:
            raise BadCommandLine("`--sql` and `--targets` exclude each other.", hint="Give one of them.")
        _print_stored(app, sql)
        return 0
    files = history(app)
    lock = frozen(app.project, files)
    if targets is not None:
        from aigym_db.cli import fleet

        return fleet.status(app, fleet.fleet(app, targets), files, lock)
    dsn = app.dsn()
    found = standing(dsn, files, frozen=None if app.takes_drafts(dsn) else lock)
    rows, pending = found.applied, found.pending
    cut_short = {(one.version, one.name): one for one in found.unfinished or ()}
    after = applied_out_of_order(rows)
    app.report.say(f"{shown(dsn)}: {len(rows)} applied, {len(pending)} pending.")
    newest = {row.version for row in rows[-3:]}

    def half(one: Applied | Migration) -> str:
        found = cut_short.get((one.version, one.name))
        return f"  ({found})" if found else ""

    for row in rows:
        if row.version in newest or row.version in after or half(row):
            late = f"  (out of order, after {after[row.version]:04d})" if row.version in after else ""
            when = f"{row.applied_at:%Y-%m-%d %H:%M %Z}"
            late += half(row)
            app.report.say(f"  applied {row.version:04d} {row.name}  {when} by {row.applied_by}{late}")
    for migration in pending:
        phase = f"  ({migration.phase})" if migration.phase else ""
        draft = "" if migration.version in lock else "  (draft)"
        app.report.say(f"  pending {migration.label}{phase}{draft}{half(migration)}")
    for one in cut_short.values():
        if not any((one.version, one.name) == (file.version, file.name) for file in files):
            app.report.say(f"  no file {one.label}  ({one})")
    if found.unfinished is None:
        app.report.say("  This role may not see whether one of them is half-way.")
    app.report.data |= {
        "unfinished": unfinished_json(found.unfinished),
        "applied": [
            {
                "version": row.version,
                "name": row.name,
                "checksum": row.checksum,
                "applied_at": row.applied_at.isoformat(),
                "out_of_order_after": after.get(row.version),
            }
            for row in rows
        ],
        "pending": pending_json(pending, lock),
    }
    return 0


def _print_stored(app: App, version: int) -> None:
    from aigym_db.database.connect import connect, shown
    from aigym_db.database.ledger import stored_sql

    dsn = app.dsn()
    with closing(connect(dsn, autocommit=True)) as connection:
        text = stored_sql(connection, version)
    if text is None:
        raise BadCommandLine(
            f"The ledger of {shown(dsn)} does not show a text of {version:04d}.",
            hint="Look at `aigym-db status`; the texts are there for the role that migrates.",
        )
    app.report.print(text)
    app.report.data["sql"] = text
