"""Execute the steps of a plan, each in a transaction of its own."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import Connection

from aigym_db.database.connect import SessionSettings, connect
from aigym_db.database.failure import explain_error
from aigym_db.database.locks import PATIENCE_MS, Holder, acquire
from aigym_db.errors import AigymError, BadCommandLine
from aigym_db.partitions import statements as sql
from aigym_db.partitions.archive import write_archive
from aigym_db.partitions.layout import Layout, copy_comment, former_comment, layouts
from aigym_db.partitions.plan import UNFIT, DuePartition, PartitionPlan, PartitionStep, plan
from aigym_db.partitions.strategy import Provided, chosen, provided_objects, strategies
from aigym_db.partitions.switch import switch
from aigym_db.project.config import Project
from aigym_db.syntax.quote import literal

BACK_OFF_S = (0.5, 1.5)
"""Shortest and longest pause after a lock timeout, in seconds."""

_RETRIED = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
)


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


@dataclass(frozen=True, slots=True)
class PartitionObserver:
    """What is called while a plan is executed."""

    done: Callable[[PartitionStep], None] = lambda step: None
    waiting: Callable[[str], None] = lambda reason: None
    failed: Callable[[str, AigymError], None] = lambda table, error: None
    """Called with the table and its error when the remaining steps of a table are left out."""


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
        run = _Run(connection, project, provided, observer)
        for step in due.steps:
            table = step.layout.table
            if table in errors:
                continue
            try:
                run.execute(step)
            except (psycopg.Error, AigymError) as error:
                failed(table, _explained(connection, error, f"{table}: {step.kind} failed"))
            else:
                observer.done(step)
    if errors:
        raise next(iter(errors.values()))
    return due


@dataclass(frozen=True, slots=True)
class _Run:
    """The execution of a plan on a connection in autocommit mode."""

    connection: Connection[Any]
    project: Project
    provided: Provided
    observer: PartitionObserver

    def execute(self, step: PartitionStep) -> None:
        """Execute a step; retry it after a lock timeout."""
        due = step.partitions[0] if step.partitions else None
        if step.kind == "create":
            self._retried(lambda: self._create(step))
        elif step.kind == "copy" and due:
            self._copy(step.layout, due)
        elif step.kind in ("detach", "finalize") and due:
            self._detach(step.layout, due)
        elif step.kind == "mark" and due:
            self._retried(lambda: self._mark(step.layout, due))
        elif step.kind == "archive" and due:
            self._retried(lambda: self._archive(step.layout, due))
        elif due:
            self._retried(lambda: self._drop(step.layout, due))

    def _create(self, step: PartitionStep) -> None:
        with self.connection.transaction():
            copies = {
                copy.name: copy.complete_before
                for copy in self._now(step.layout).copies
                if copy.complete_before is not None
            }
            switch(self.connection, step, copies)
            self._record(step.layout)

    def _copy(self, layout: Layout, due: DuePartition) -> None:
        table = layout.qualified_partition(due.name)
        known = {copy.name: copy.complete_before for copy in layout.copies}
        if due.name not in known:

            def create() -> None:
                with self.connection.transaction():
                    for text in sql.create_copy(layout, table, due.interval):
                        self.connection.execute(text.encode())

            self._retried(create)
        if known.get(due.name) is not None:
            return

        def fill() -> None:
            with self.connection.transaction():
                self.connection.execute("set transaction isolation level repeatable read")
                # Rows of a transaction that is in progress are not part of the copy, and neither are those of
                # its subtransactions, whose ids are not part of the snapshot but later than its xmin.
                row = self.connection.execute(
                    "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
                ).fetchone()
                assert row is not None
                self.connection.execute(
                    sql.insert_rows(layout, table, sql.within(layout, due.interval)).encode()
                )
                self.connection.execute(f"comment on table {table} is {copy_comment(row[0])}".encode())

        # A row that the foreign key refers to can be deleted between the snapshot and the check.
        self._retried(fill, psycopg.errors.ForeignKeyViolation)

    def _detach(self, layout: Layout, due: DuePartition) -> None:
        """Detach a partition without blocking queries, unless a DEFAULT partition makes that impossible."""

        def detach() -> None:
            attached = next((each for each in self._now(layout).partitions if each.name == due.name), None)
            if attached is not None:
                ending = "finalize" if attached.is_pending else "" if layout.has_default else "concurrently"
                self.connection.execute(
                    f"alter table {layout.qualified} detach partition {attached.qualified} {ending}".encode()
                )
            name = next((each.qualified for each in layout.partitions if each.name == due.name), None)
            self._mark(layout, due, name)

        self._retried(detach)

    def _mark(self, layout: Layout, due: DuePartition, table: str | None = None) -> None:
        with self.connection.transaction():
            table = table or layout.qualified_partition(due.name)
            self.connection.execute(
                f"comment on table {table} is {former_comment(datetime.now(UTC))}".encode()
            )
            self._record(layout)

    def _archive(self, layout: Layout, due: DuePartition) -> None:
        assert self.project.partition_archive is not None
        folder = self.project.root / self.project.partition_archive / self.connection.info.dbname
        path = folder / f"{due.name}.csv.gz"
        table = layout.qualified_partition(due.name)
        detached = next(
            (each.detached_at for each in self._now(layout).former if each.name == due.name), None
        )
        with self.connection.transaction():
            self.connection.execute(f"lock table {table} in share mode".encode())
            rows, digest = write_archive(self.connection, table, path)
            place = self.project.show(path)
            comment = former_comment(detached or datetime.now(UTC), (rows, place, digest))
            self.connection.execute(f"comment on table {table} is {comment}".encode())
            if self.provided.records_archives:
                self.connection.execute(
                    "select ops.record_archive(%s::regclass, %s, %s, %s, decode(%s, 'hex'))",
                    (layout.qualified, due.name, rows, place, digest),
                )
            self._record(layout)

    def _drop(self, layout: Layout, due: DuePartition) -> None:
        with self.connection.transaction():
            self.connection.execute(f"drop table {layout.qualified_partition(due.name)}".encode())
            self._record(layout)

    def _record(self, layout: Layout) -> None:
        if self.provided.records_partitions:
            self.connection.execute(
                f"select ops.record_partitions({literal(layout.qualified)}::regclass)".encode()
            )

    def _now(self, layout: Layout) -> Layout:
        """Return the layout of a table as it is now, without counting rows of other tables."""
        return layouts(self.connection, (layout.strategy,), self.project.partition_schema)[0]

    def _retried(self, action: Callable[[], None], *also: type[psycopg.Error]) -> None:
        retried: tuple[type[psycopg.Error], ...] = (*_RETRIED, *also)
        began = time.monotonic()
        while True:
            try:
                action()
            except retried:
                if (time.monotonic() - began) * 1000 >= PATIENCE_MS:
                    raise
                self.observer.waiting("lock timeout; retrying")
                time.sleep(random.uniform(*BACK_OFF_S))
            else:
                return


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
