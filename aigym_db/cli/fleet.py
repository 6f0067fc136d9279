"""`migrate --targets`: one plan for the databases and tenant schemas of a file."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from aigym_db.cli.app import App
from aigym_db.cli.running import add_origin
from aigym_db.database.dsn import without_service
from aigym_db.errors import AigymError, BadCommandLine, HalfwayError, ServerError
from aigym_db.migrate.fleet.run import migrate_fleet
from aigym_db.migrate.options import Options
from aigym_db.model.migration import Migration
from aigym_db.project.targets import Fleet, Target, read
from aigym_db.report.fleet import WatchingFleet


def fleet(app: App, file: Path) -> Fleet:
    """The fleet that a file describes, every connection string complete.

    Raises BadConfig (AIG-P002) and BadCommandLine (AIG-P013) with the place in the file.
    """
    if app.database is not None:
        raise BadCommandLine(
            "`--targets` and `--database` exclude each other.",
            hint="Leave one of them out: the file says which databases are meant.",
        )
    try:
        found = read(app.directory / file, {**os.environ, **app.variables}, file.as_posix())
    except OSError as error:
        raise BadCommandLine(
            f"{file} cannot be read: {error.strerror}.", hint="Name a targets file with --targets."
        ) from None
    return replace(found, targets=tuple(_complete(app, target) for target in found.targets))


def run(app: App, fleet: Fleet, migrations: tuple[Migration, ...], to: int | None, options: Options) -> int:
    """Migrates every target, shows and reports what became of each; the exit status."""
    if options.resolve and (len(fleet.targets) > 1 or fleet.targets[0].schemas):
        raise BadCommandLine(
            "`--resolve` says how one statement of one database ended, and the targets file names several.",
            place=fleet.targets[0].place,
            hint="Give a file with that one target.",
        )
    with WatchingFleet(app.report) as watching:
        result = migrate_fleet(fleet, migrations, to=to, options=options, observer=watching)
    for outcome in result.outcomes:
        if isinstance(outcome.refusal, ServerError | HalfwayError):
            add_origin(app, migrations, outcome.refusal)
    watching.summary(result)
    return result.exit_status


def _complete(app: App, target: Target) -> Target:
    try:
        return replace(target, dsn=without_service(app.settled(target.dsn)))
    except AigymError as refusal:
        refusal.place = target.place
        raise
