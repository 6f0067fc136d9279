"""`aigym-db partitions plan|apply`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.cli.shared_options import CommandGroup, lock_wait_option
from aigym_db.errors import AigymError, BadCommandLine

if TYPE_CHECKING:
    from aigym_db.partitions.plan import PartitionPlan, PartitionStep
    from aigym_db.report.documents import PartitionsResults

since_option = click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Also create partitions from this date on, for older rows (default: from the current interval on).",
)
drop_option = click.option(
    "--drop",
    is_flag=True,
    help="Drop every archived partition 7 days after its detach (default: where the strategy specifies it).",
)
tables_argument = click.argument("tables", metavar="[TABLE]…", nargs=-1)


@click.group(
    cls=CommandGroup, invoke_without_command=True, short_help="Create, detach, archive and drop partitions."
)
@click.option(
    "--print",
    "scheduler",
    type=click.Choice(["cron", "systemd", "pg_cron"]),
    help="Print the configuration of a scheduler that runs `partitions apply` every night.",
)
@pass_app
def command(app: App, scheduler: Literal["cron", "systemd", "pg_cron"] | None) -> None:
    """Maintain the partitions of tables that are partitioned by time.

    The strategy of a table is the key `partition` of its card, its entry in the setting `partitions`, or its
    row in ops.partition_strategies. TABLE is `schema.table` (default: all tables with a strategy).
    """
    invoked = click.get_current_context().invoked_subcommand
    if scheduler is not None:
        if invoked is not None:
            raise BadCommandLine("`--print` excludes `plan` and `apply`.", hint="Omit one of them.")
        _print_schedule(app, scheduler)
    elif invoked is None:
        raise BadCommandLine("`partitions` needs a command.", hint="Use `plan`, `apply` or `--print cron`.")


@command.command(name="plan")
@tables_argument
@since_option
@drop_option
@pass_app
def plan_command(app: App, tables: tuple[str, ...], since: datetime | None, drop: bool) -> int:
    """Print the steps that are due. The database is only read."""
    from aigym_db.api import plan_partitions
    from aigym_db.partitions.apply import PartitionOptions
    from aigym_db.report.partitions import lines

    due = plan_partitions(app.dsn(), app.project, options=PartitionOptions(tables, _utc(since), drop))
    for line in lines(due):
        app.report.print_line(line)
    app.report.add_results(lambda: _results(due, due.steps))
    return int(bool(due.skipped))


@command.command(name="apply")
@tables_argument
@since_option
@drop_option
@lock_wait_option
@pass_app
def apply_command(
    app: App, tables: tuple[str, ...], since: datetime | None, drop: bool, lock_wait: float | None
) -> int:
    """Execute the steps that are due, each in a transaction of its own.

    A run that is interrupted leaves complete steps, and the next run continues. After a lock timeout a step
    is retried for up to a minute. After an error the steps of other tables are executed.
    """
    from aigym_db.api import apply_partitions
    from aigym_db.partitions.apply import PartitionOptions
    from aigym_db.partitions.execution import PartitionObserver
    from aigym_db.report import partitions as text

    dsn = app.dsn()
    app.report.require_completion()
    done: list[PartitionStep] = []
    failed: list[str] = []

    def report(step: PartitionStep) -> None:
        done.append(step)
        app.report.print_line(text.line(step))

    def report_failure(table: str, error: AigymError) -> None:
        # The first error ends the command, which prints it.
        if failed:
            app.report.add_error(error)
        failed.append(table)

    due = None
    try:
        due = apply_partitions(
            dsn,
            app.project,
            options=PartitionOptions(tables, _utc(since), drop, lock_wait_s=lock_wait),
            observer=PartitionObserver(report, app.report.progress, report_failure),
        )
    finally:
        app.report.add_results(lambda: _results(due, tuple(done)))
    for line in text.notes(due):
        app.report.print_line(line)
    if not done:
        app.report.print_line("Nothing is due.")
    return int(bool(due.skipped))


def _print_schedule(app: App, scheduler: Literal["cron", "systemd", "pg_cron"]) -> None:
    from contextlib import closing

    from aigym_db.database.connect import connect
    from aigym_db.partitions.schedule import command as shell_command
    from aigym_db.partitions.schedule import schedule
    from aigym_db.partitions.strategy import provided_objects
    from aigym_db.report.documents import PartitionsResults

    dsn = None if app.is_local else app.dsn()
    program = Path(sys.argv[0])
    line = shell_command(
        str(program.resolve()) if program.is_file() else "aigym-db", str(app.project.root.resolve()), dsn
    )
    provided = None
    if scheduler == "pg_cron":
        with closing(connect(dsn or app.dsn(), autocommit=True)) as connection:
            provided = provided_objects(connection)
    text = schedule(scheduler, line, provided)
    app.report.print(text)
    app.report.add_results(lambda: PartitionsResults(schedule=text))


def _utc(day: datetime | None) -> datetime | None:
    return day.replace(tzinfo=UTC) if day else None


def _results(due: PartitionPlan | None, steps: tuple[PartitionStep, ...]) -> PartitionsResults:
    from aigym_db.report import entries
    from aigym_db.report.documents import PartitionsResults

    return PartitionsResults(
        steps=entries.partition_steps(steps),
        unarchived=list(due.unarchived) if due else [],
        skipped=list(due.skipped) if due else [],
    )
