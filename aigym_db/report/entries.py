"""The entries of JSON documents, made from migrations, findings and errors.

Imported only for `--format json`, as `documents`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from aigym_db.database.partially_applied import PartialMigration
from aigym_db.errors import AigymError
from aigym_db.migrate.observer import Finished
from aigym_db.migrate.phases import phase_of
from aigym_db.model.finding import Finding
from aigym_db.model.migration import Applied, Migration
from aigym_db.project.targets import Target
from aigym_db.report import machine
from aigym_db.report.documents import (
    AppliedEntry,
    DuePartitionEntry,
    FindingEntry,
    FinishedEntry,
    HealthCheckEntry,
    MeasurementEntry,
    PartialEntry,
    PartitionStepEntry,
    PendingEntry,
    TargetHead,
    WaitingEntry,
)

if TYPE_CHECKING:
    from aigym_db.health.examine import CheckResult
    from aigym_db.partitions.plan import PartitionStep


def finding(item: Finding) -> FindingEntry:
    """Return the entry of a finding."""
    place = item.place
    return FindingEntry(
        rule=item.rule,
        code=item.code,
        level=item.level,
        file=place.file if place else None,
        line=place.line if place else None,
        column=place.column if place else None,
        message=item.message,
        hint=item.hint,
    )


def finished(done: Iterable[Finished]) -> list[FinishedEntry]:
    """Return the entries of executed migrations."""
    return [
        FinishedEntry(
            version=each.migration.version,
            name=each.migration.name,
            duration_ms=each.duration_ms,
            lock_wait_ms=each.lock_wait_ms,
        )
        for each in done
    ]


def waiting(migrations: Iterable[Migration]) -> list[WaitingEntry]:
    """Return the entries of pending migrations of another phase."""
    return [
        WaitingEntry(version=migration.version, name=migration.name, phase=phase_of(migration))
        for migration in migrations
    ]


def applied(rows: Iterable[Applied], out_of_order_after: Mapping[int, int]) -> list[AppliedEntry]:
    """Return the entries of applied migrations; the mapping is that of `applied_out_of_order`."""
    return [
        AppliedEntry(
            version=row.version,
            name=row.name,
            checksum=row.checksum,
            applied_at=row.applied_at,
            out_of_order_after=out_of_order_after.get(row.version),
        )
        for row in rows
    ]


def pending(migrations: Iterable[Migration], frozen: Collection[int]) -> list[PendingEntry]:
    """Return the entries of pending migrations; `frozen` contains the versions of the lock file."""
    return [
        PendingEntry(
            version=migration.version,
            name=migration.name,
            phase=migration.phase,
            frozen=migration.version in frozen,
        )
        for migration in migrations
    ]


def unfinished(migrations: Iterable[PartialMigration] | None) -> list[PartialEntry] | None:
    """Return the entries of partially applied migrations; None if the role cannot read the journal."""
    if migrations is None:
        return None
    return [
        PartialEntry(
            version=migration.version,
            name=migration.name,
            direction=migration.direction,
            statements_done=migration.done,
            rows_changed=migration.rows,
        )
        for migration in migrations
    ]


def target(target: Target, status: str, error: AigymError | None) -> TargetHead:
    """Return what the entries of a target have in common."""
    return TargetHead(
        name=target.name,
        schema=target.schema or None,
        canary=target.canary,
        status=status,
        error=finding(machine.as_finding(error)) if error else None,
    )


def health_checks(results: Iterable[CheckResult]) -> list[HealthCheckEntry]:
    """Return the entries of the results of health checks."""
    return [
        HealthCheckEntry(
            code=result.check.code,
            name=result.check.name,
            severity=result.severity,
            unit=result.check.unit,
            grant=result.grant or None,
            hint=result.check.hint,
            measurements=[
                MeasurementEntry(
                    severity=measurement.severity,
                    object=measurement.object,
                    message=measurement.message,
                    value=measurement.value,
                    suppressed=measurement.suppressed or None,
                )
                for measurement in result.measurements
            ],
        )
        for result in results
    ]


def partition_steps(steps: Iterable[PartitionStep]) -> list[PartitionStepEntry]:
    """Return the entries of steps of `partitions`."""
    return [
        PartitionStepEntry(
            kind=step.kind,
            table=step.layout.table,
            partitions=[
                DuePartitionEntry(
                    name=f"{step.layout.partition_schema}.{due.name}",
                    lower=due.interval.lower,
                    upper=due.interval.upper,
                    rows=due.rows if step.kind in ("copy", "create", "archive") else None,
                )
                for due in step.partitions
            ],
        )
        for step in steps
    ]
