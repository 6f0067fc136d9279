"""`--targets`: the same command on the databases and tenant schemas of a targets file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import click

from aigym_db.cli.app import App
from aigym_db.cli.options import with_origin
from aigym_db.database.dsn import without_service
from aigym_db.errors import AigymError, BadCommandLine, ResumableError, ServerError
from aigym_db.migrate.fleet.result import FleetObserver, FleetResult
from aigym_db.migrate.fleet.rollout import migrate_fleet, rollback_fleet
from aigym_db.migrate.fleet.status import fleet_status
from aigym_db.migrate.options import Options
from aigym_db.model.migration import Direction, Migration, Plan
from aigym_db.model.wording import counted
from aigym_db.project.targets import Fleet, Target, read
from aigym_db.report.fleet import WatchingFleet
from aigym_db.report.fleet_status import report_fleet_status

_AT_A_LINE = (ServerError, ResumableError)
"""The errors whose place may be a drafted line."""


def fleet(app: App, file: Path) -> Fleet:
    """Return the fleet of a targets file, with complete connection strings.

    Raise BadConfig (AIG-P002) with the place in the file if its content is wrong, BadCommandLine (AIG-P013)
    if the file cannot be read or `--database` is given too.
    """
    if app.database is not None:
        raise BadCommandLine(
            "`--targets` and `--database` exclude each other.",
            hint="Give one of them: the targets file lists the databases.",
        )
    try:
        parsed = read(app.directory / file, {**os.environ, **app.variables}, file.as_posix())
    except OSError as error:
        raise BadCommandLine(
            f"{file} cannot be read: {error.strerror}.", hint="Name a targets file with --targets."
        ) from None
    return replace(parsed, targets=tuple(_complete(app, target) for target in parsed.targets))


def migrate(
    app: App, fleet: Fleet, migrations: tuple[Migration, ...], to: int | None, options: Options
) -> int:
    """Migrate every target, report the results, and return the exit status."""

    def work(observer: FleetObserver) -> FleetResult:
        return migrate_fleet(fleet, migrations, to=to, options=options, observer=observer)

    return _run(app, fleet, migrations, options, "up", work).exit_status


def rollback(
    app: App, fleet: Fleet, migrations: tuple[Migration, ...], to: int, yes: bool, options: Options
) -> int:
    """Roll back every target to version `to`, report the results, and return the exit status.

    On a terminal, one confirmation covers all targets that would lose data.
    """

    def roll_back(
        fleet: Fleet, confirmed: Mapping[Target, Plan], before: FleetResult | None = None
    ) -> FleetResult:
        def work(observer: FleetObserver) -> FleetResult:
            return rollback_fleet(
                fleet, migrations, to=to, yes=yes, confirmed=confirmed, options=options, observer=observer
            )

        return _run(app, fleet, migrations, options, "down", work, before)

    result = roll_back(fleet, {})
    losing = result.data_loss(fleet)
    if not losing or not app.can_confirm:
        return result.exit_status
    if not click.confirm(f"Roll back and lose data on {counted(len(losing), 'target')}?", err=True):
        app.report.print_line("Nothing more was rolled back.")
        return result.exit_status
    app.report.findings.clear()
    remaining = tuple(
        each.target for each in result.targets if each.target in losing or each.state == "not started"
    )
    return roll_back(replace(fleet, targets=remaining), losing, result).exit_status


def status(app: App, fleet: Fleet, migrations: tuple[Migration, ...], frozen: frozenset[int]) -> int:
    """Report the status of every target. Return the exit status of the first error, else 0."""
    statuses = fleet_status(fleet, migrations, frozen=frozen)
    report_fleet_status(app.report, statuses, frozen)
    return next((each.error.exit_status for each in statuses if each.error is not None), 0)


def _run(
    app: App,
    fleet: Fleet,
    migrations: tuple[Migration, ...],
    options: Options,
    direction: Direction,
    work: Callable[[FleetObserver], FleetResult],
    before: FleetResult | None = None,
) -> FleetResult:
    """Run `work`, report the results together with those of the run `before`, and return both."""
    if options.resolve and (len(fleet.targets) > 1 or fleet.targets[0].schemas):
        raise BadCommandLine(
            "`--resolve` is for a statement of one database, and the targets file lists several.",
            place=fleet.targets[0].place,
            hint="Use a targets file with that one target.",
        )
    with WatchingFleet(app.report, direction) as watching:
        result = work(watching)

    def with_template(error: AigymError) -> AigymError:
        return with_origin(app, migrations, error) if isinstance(error, _AT_A_LINE) else error

    result = result.with_errors(with_template)
    whole = result if before is None else before.merged(result)
    watching.summary(whole)
    return whole


def _complete(app: App, target: Target) -> Target:
    try:
        return replace(target, dsn=without_service(app.completed(target.dsn)))
    except AigymError as error:
        raise error.amended(place=target.place) from None
