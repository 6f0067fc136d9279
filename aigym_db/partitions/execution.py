"""Execute the steps of a plan, each in a transaction of its own."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import Connection

from aigym_db.database.locks import PATIENCE_MS
from aigym_db.errors import AigymError
from aigym_db.partitions import statements as sql
from aigym_db.partitions.archive import write_archive
from aigym_db.partitions.layout import Layout, copy_comment, former_comment, layouts
from aigym_db.partitions.plan import DuePartition, PartitionStep
from aigym_db.partitions.strategy import Provided
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
class PartitionObserver:
    """What is called while a plan is executed."""

    done: Callable[[PartitionStep], None] = lambda step: None
    waiting: Callable[[str], None] = lambda reason: None
    failed: Callable[[str, AigymError], None] = lambda table, error: None
    """Called with the table and its error when the remaining steps of a table are left out."""


@dataclass(frozen=True, slots=True)
class Execution:
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
        """Return the layout of a table as it is now, without the rows of its overflow partition."""
        strategies = (layout.strategy,)
        return layouts(self.connection, strategies, self.project.partition_schema, count_rows=False)[0]

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
