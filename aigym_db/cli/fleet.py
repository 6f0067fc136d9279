"""`--targets`: one plan for the databases and tenant schemas of a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import click

from aigym_db.cli.app import App
from aigym_db.cli.options import add_origin
from aigym_db.database.dsn import without_service
from aigym_db.errors import AigymError, BadCommandLine, ResumableError, ServerError
from aigym_db.migrate.fleet.result import FleetObserver, FleetResult
from aigym_db.migrate.fleet.rollout import migrate_fleet, rollback_fleet
from aigym_db.migrate.fleet.status import fleet_standing
from aigym_db.migrate.options import Options
from aigym_db.model.migration import Direction, Migration, Plan
from aigym_db.model.wording import counted
from aigym_db.project.targets import Fleet, Target, read
from aigym_db.report.fleet import WatchingFleet
from aigym_db.report.fleet_status import say_fleet


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


def migrate(
    app: App, fleet: Fleet, migrations: tuple[Migration, ...], to: int | None, options: Options
) -> int:
    """Migrates every target, shows and reports what became of each; the exit status."""

    def work(observer: FleetObserver) -> FleetResult:
        return migrate_fleet(fleet, migrations, to=to, options=options, observer=observer)

    return _run(app, fleet, migrations, options, "up", work).exit_status


def rollback(
    app: App, fleet: Fleet, migrations: tuple[Migration, ...], to: int, yes: bool, options: Options
) -> int:
    """Takes every target back to version `to`, shows and reports what became of each; the exit status.

    On a terminal it asks about those that would lose data, all of them at once.
    """

    def undo(fleet: Fleet, agreed: Mapping[Target, Plan], before: FleetResult | None = None) -> FleetResult:
        def work(observer: FleetObserver) -> FleetResult:
            return rollback_fleet(
                fleet, migrations, to=to, yes=yes, agreed=agreed, options=options, observer=observer
            )

        return _run(app, fleet, migrations, options, "down", work, before)

    result = undo(fleet, {})
    losing = result.losing(fleet)
    if not losing or not app.can_confirm:
        return result.exit_status
    if not click.confirm(f"Roll back and lose data on {counted(len(losing), 'target')}?", err=True):
        app.report.say("Nothing more was rolled back.")
        return result.exit_status
    app.report.findings.clear()
    left = tuple(one.target for one in result.outcomes if one.target in losing or one.state == "not started")
    return undo(replace(fleet, targets=left), losing, result).exit_status


def status(app: App, fleet: Fleet, migrations: tuple[Migration, ...], frozen: frozenset[int]) -> int:
    """Shows where every target stands; the exit status is that of the first of which it cannot be said."""
    found = fleet_standing(fleet, migrations, frozen=frozen)
    say_fleet(app.report, found, frozen)
    return next((one.refusal.exit_status for one in found if one.refusal is not None), 0)


def _run(
    app: App,
    fleet: Fleet,
    migrations: tuple[Migration, ...],
    options: Options,
    direction: Direction,
    work: Callable[[FleetObserver], FleetResult],
    before: FleetResult | None = None,
) -> FleetResult:
    """What became of all targets, also of those that were done `before`; shown and reported."""
    if options.resolve and (len(fleet.targets) > 1 or fleet.targets[0].schemas):
        raise BadCommandLine(
            "`--resolve` says how one statement of one database ended, and the targets file names several.",
            place=fleet.targets[0].place,
            hint="Give a file with that one target.",
        )
    with WatchingFleet(app.report, direction) as watching:
        result = work(watching)
    for outcome in result.outcomes:
        if isinstance(outcome.refusal, ServerError | ResumableError):
            add_origin(app, migrations, outcome.refusal)
    whole = result if before is None else before.then(result)
    watching.summary(whole)
    return whole


def _complete(app: App, target: Target) -> Target:
    try:
        return replace(target, dsn=without_service(app.settled(target.dsn)))
    except AigymError as refusal:
        refusal.place = target.place
        raise
