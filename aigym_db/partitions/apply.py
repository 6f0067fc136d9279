"""Plan the steps that are due on a database, and execute them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg import Connection

from aigym_db.database.connect import SessionSettings, connect
from aigym_db.database.failure import explain_error
from aigym_db.database.locks import Holder, acquire
from aigym_db.errors import AigymError, BadCommandLine
from aigym_db.partitions.execution import Execution, PartitionObserver
from aigym_db.partitions.layout import layouts
from aigym_db.partitions.plan import UNFIT, PartitionPlan, plan
from aigym_db.partitions.strategy import Provided, chosen, provided_objects, strategies
from aigym_db.project.config import Project


@dataclass(frozen=True, slots=True)
class PartitionOptions:
    """The options of `plan` and `apply`."""

    tables: tuple[str, ...] = ()
    """The tables, as `schema.table`; all if empty."""
    since: datetime | None = None
    """Create partitions from this time on, for rows older than the installation."""
    drop: bool = False
    """True if archived partitions are dropped although their strategy does not specify it."""
    as_of: datetime | None = None
    """The time for which steps are due; None is the time of the server. For forecasts and tests."""
    lock_wait_s: float | None = None
    """Longest time to wait for another aigym-db run, in seconds; None for no limit."""


def due_steps(dsn: str, project: Project, options: PartitionOptions | None = None) -> PartitionPlan:
    """Return the steps that are due on a database, which is only read.

    Raise what `plan` and `strategies` raise, BadCommandLine (AIG-P013) for a table without a strategy or one
    that is not partitioned as its strategy describes, and the server's errors (AIG-S…).
    """
    with _session(dsn, project, read_only=True) as connection:
        return _planned(connection, project, options or PartitionOptions(), _raise)[0]


def execute_steps(
    dsn: str,
    project: Project,
    options: PartitionOptions | None = None,
    *,
    observer: PartitionObserver | None = None,
) -> PartitionPlan:
    """Execute the steps that are due on a database, and return them.

    A run that is killed leaves complete steps; the next run plans what remains. After an error the remaining
    steps of its table are left out; those of other tables are executed, and the first error is raised at the
    end. Raise RunnerLocked (AIG-L001) if another run of aigym-db does not end in time, LockTimeout (AIG-S004)
    if a lock was not granted within a minute of retries, and what `due_steps` raises.
    """
    options, observer = options or PartitionOptions(), observer or PartitionObserver()
    errors: dict[str, AigymError] = {}

    def failed(table: str, error: AigymError) -> None:
        errors[table] = error
        observer.failed(table, error)

    with _session(dsn, project) as connection:
        for part in (1, 2):
            acquire(
                connection,
                part,
                wait_s=options.lock_wait_s,
                waiting=lambda held, waited: observer.waiting(_runner(held)),
            )
        due, provided = _planned(connection, project, options, failed)
        execution = Execution(connection, project, provided, observer)
        for step in due.steps:
            table = step.layout.table
            if table in errors:
                continue
            try:
                execution.execute(step)
            except (psycopg.Error, AigymError) as error:
                failed(table, _explained(connection, error, f"{table}: {step.kind} failed"))
            else:
                observer.done(step)
    if errors:
        raise next(iter(errors.values()))
    return due


def _planned(
    connection: Connection[Any],
    project: Project,
    options: PartitionOptions,
    failed: Callable[[str, AigymError], None],
) -> tuple[PartitionPlan, Provided]:
    """Return the steps that are due; `failed` is called with each table that has none because of an error."""
    provided = provided_objects(connection)
    known = chosen(strategies(connection, project, provided), options.tables)
    row = connection.execute("select pg_catalog.clock_timestamp()").fetchone()
    assert row is not None
    due = PartitionPlan(options.as_of or row[0], ())
    for strategy in known:
        try:
            present = layouts(connection, (strategy,), project.partition_schema)
            own = plan(
                present,
                due.as_of,
                since=options.since,
                archive=project.partition_archive is not None,
                drop=options.drop,
            )
        except (psycopg.Error, AigymError) as error:
            failed(strategy.table, _explained(connection, error, f"{strategy.table}: plan failed"))
        else:
            due = replace(
                due,
                steps=(*due.steps, *own.steps),
                unarchived=(*due.unarchived, *own.unarchived),
                skipped=due.skipped if present else (*due.skipped, strategy.table),
            )
    if options.tables and due.skipped:
        raise BadCommandLine(
            f"The table {due.skipped[0]} is {UNFIT}.",
            hint="Correct its strategy, or the name of the table.",
        )
    return due, provided


@contextmanager
def _session(dsn: str, project: Project, *, read_only: bool = False) -> Iterator[Connection[Any]]:
    settings = SessionSettings(
        role=project.owner,
        lock_timeout_ms=project.lock_timeout_ms,
        idle_in_transaction_timeout_ms=0,
        read_only=read_only,
    )
    try:
        with closing(connect(dsn, session=settings, autocommit=True)) as connection:
            yield connection
    except psycopg.Error as error:
        raise explain_error(error) from error


def _runner(held: tuple[Holder, ...]) -> str:
    return "waiting for another aigym-db run" + (f": {held[0]}" if held else "")


def _explained(connection: Connection[Any], error: psycopg.Error | AigymError, doing: str) -> AigymError:
    """Return the error to report; raise it if the connection was lost."""
    explained = explain_error(error, doing=doing) if isinstance(error, psycopg.Error) else error
    if connection.closed:
        raise explained from error
    return explained


def _raise(table: str, error: AigymError) -> None:
    raise error
