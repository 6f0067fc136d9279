"""The steps that are due: what `plan` prints is what `apply` executes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from aigym_db.errors import BadConfig, FormerPartition
from aigym_db.partitions.interval import Interval, interval_at, intervals
from aigym_db.partitions.layout import Former, Layout, Partition

StepKind = Literal["finalize", "copy", "create", "detach", "mark", "archive", "drop"]
"""finalize: complete an interrupted detach. copy: fill a table with rows of the overflow partition. create:
attach partitions, and with them the copies. detach: detach an expired partition. mark: record that a table is
a detached partition. archive: write a detached partition to a file. drop: drop a detached partition."""

DROP_AFTER = timedelta(days=7)
"""Time between the detach of a partition and its drop, in which it can be attached again."""

MAX_NAME_BYTES = 63
"""Maximum length of an identifier. Source: PostgreSQL documentation, "Identifiers and Key Words"."""


UNFIT = "not partitioned by range of the date or timestamp column of its strategy"
"""What is wrong with a table that has a strategy and cannot have steps."""


@dataclass(frozen=True, slots=True)
class DuePartition:
    """A partition, or a table that becomes one or was one, of a step."""

    name: str
    interval: Interval
    rows: int | None = None
    """Rows that the step moves or writes; None if it does neither, an estimate for an archive."""


@dataclass(frozen=True, slots=True)
class PartitionStep:
    """One step, which is executed in a transaction of its own."""

    kind: StepKind
    layout: Layout
    partitions: tuple[DuePartition, ...]

    @property
    def rows(self) -> int:
        """Rows that the step moves or writes."""
        return sum(partition.rows or 0 for partition in self.partitions)


@dataclass(frozen=True, slots=True)
class PartitionPlan:
    """The steps that are due on a database at one moment, in order."""

    as_of: datetime
    steps: tuple[PartitionStep, ...]
    unarchived: tuple[str, ...] = ()
    """Detached partitions that stay, because no folder for archives is configured."""
    skipped: tuple[str, ...] = ()
    """Tables that have a strategy and no steps: they do not exist, or are not partitioned as it describes."""


def plan(
    layouts: Iterable[Layout],
    as_of: datetime,
    *,
    since: datetime | None = None,
    archive: bool = False,
    drop: bool = False,
) -> PartitionPlan:
    """Return the steps that are due at `as_of`.

    `since` requests partitions from that time on, for rows older than the installation. `archive` is true if
    detached partitions can be written to files. `drop` also drops archived partitions of strategies that do
    not specify it.

    Raise FormerPartition (AIG-G009) if a table that is no partition has the name of one that is due,
    BadConfig (AIG-P002) if the name of a partition is too long.
    """
    known = tuple(layouts)
    steps = tuple(
        step for layout in known for step in _steps(layout, as_of, since=since, archive=archive, drop=drop)
    )
    done = {partition.name for step in steps if step.kind == "archive" for partition in step.partitions}
    unarchived = tuple(
        f"{layout.partition_schema}.{former.name}"
        for layout in known
        if layout.strategy.archive
        for former in layout.former
        if former.detached_at and former.archived_rows is None and former.name not in done
    )
    return PartitionPlan(as_of, steps, unarchived)


def _steps(
    layout: Layout, as_of: datetime, *, since: datetime | None, archive: bool, drop: bool
) -> Iterator[PartitionStep]:
    for partition in layout.partitions:
        if partition.is_pending and partition.lower and partition.upper:
            due = DuePartition(partition.name, Interval(partition.lower, partition.upper))
            yield PartitionStep("finalize", layout, (due,))
    created = due_partitions(layout, as_of, since) if layout.strategy.create else ()
    for due in created:
        if due.rows and layout.primary_key:
            yield PartitionStep("copy", layout, (due,))
    if created or (layout.strategy.create and layout.overflow is None and not layout.has_default):
        yield PartitionStep("create", layout, created)
    expired = expired_partitions(layout, as_of, created, since) if layout.strategy.detach else ()
    for due in expired:
        yield PartitionStep("detach", layout, (due,))
    unmarked = [
        former
        for former in layout.former
        if former.detached_at is None and _is_expired(layout, former, as_of)
    ]
    for former in unmarked:
        yield PartitionStep("mark", layout, (DuePartition(former.name, former.interval),))
    if archive and layout.strategy.archive:
        marked = [former for former in layout.former if former.detached_at or former in unmarked]
        for due in (
            *(
                DuePartition(each.name, each.interval, each.rows)
                for each in marked
                if each.archived_rows is None
            ),
            *(each for each in expired if each.name == layout.partition_name(each.interval)),
        ):
            yield PartitionStep("archive", layout, (due,))
    for former in layout.former:
        is_archived = former.archived_rows is not None or not layout.strategy.archive
        is_old = former.detached_at is not None and former.detached_at + DROP_AFTER <= as_of
        if (layout.strategy.drop or drop) and is_archived and is_old:
            yield PartitionStep("drop", layout, (DuePartition(former.name, former.interval),))


def due_partitions(
    layout: Layout, as_of: datetime, since: datetime | None = None
) -> tuple[DuePartition, ...]:
    """Return the partitions to create: from the first time that needs one to the last interval ahead.

    Where partitions of other bounds end within an interval, such as those of another time zone, the partition
    contains the rest of it.
    """
    strategy, overflow = layout.strategy, layout.overflow
    first = min(filter(None, (as_of, since, overflow.lower if overflow else None)))
    last = interval_at(strategy.width, as_of, strategy.premade)
    bounded = [each for each in layout.partitions if each != overflow and not each.is_default]
    rows = dict(layout.overflow_rows)
    former = {each.name for each in layout.former}
    oldest = _oldest_kept(layout, as_of)
    result = []
    for interval in intervals(strategy.width, first, last.lower):
        free = [part for part in _uncovered(interval, bounded) if part.upper > first]
        if not free:
            continue
        is_requested = since is not None and interval.upper > since
        if oldest and interval.upper <= oldest and not rows.get(interval) and not is_requested:
            continue
        name = layout.partition_name(interval)
        if len(name.encode()) > MAX_NAME_BYTES:
            raise BadConfig(
                f"The name {name} of a partition of {layout.table} is longer than {MAX_NAME_BYTES} bytes.",
                hint="Rename the table, or remove the setting `partition_schema`.",
            )
        if name in former:
            raise FormerPartition(
                f"{layout.partition_schema}.{name} exists and is not a partition of {layout.table}.",
                hint=f"Attach it again with `alter table {layout.table} attach partition …`, or drop it.",
            )
        if len(free) > 1:
            raise BadConfig(
                f"The partitions of {layout.table} leave {len(free)} gaps in the interval of {name}.",
                hint="Create a partition for each gap but the last one.",
            )
        result.append(DuePartition(name, free[0], rows.get(interval)))
    return tuple(result)


def _uncovered(interval: Interval, partitions: Iterable[Partition]) -> list[Interval]:
    """Return the parts of an interval that no partition contains, in order."""
    parts = [interval]
    for each in partitions:
        parts = [rest for part in parts for rest in part.without(each.lower, each.upper)]
    return sorted(parts)


def expired_partitions(
    layout: Layout, as_of: datetime, created: Iterable[DuePartition] = (), since: datetime | None = None
) -> tuple[DuePartition, ...]:
    """Return the partitions that ended at least `keep` intervals ago, the oldest first.

    Those that `since` requests are left out: they are to be filled first.
    """
    oldest = _oldest_kept(layout, as_of)
    if oldest is None:
        return ()
    attached = [
        DuePartition(each.name, Interval(each.lower, each.upper), each.rows)
        for each in layout.partitions
        if each.lower and each.upper and not each.is_pending
    ]
    return tuple(
        sorted(
            (
                due
                for due in (*attached, *created)
                if due.interval.upper <= oldest and not (since and due.interval.upper > since)
            ),
            key=lambda due: due.interval,
        )
    )


def _oldest_kept(layout: Layout, as_of: datetime) -> datetime | None:
    """Return the time before which partitions are not kept attached; None without a limit."""
    keep = layout.strategy.keep
    return None if keep is None else interval_at(layout.strategy.width, as_of, -keep).lower


def _is_expired(layout: Layout, former: Former, as_of: datetime) -> bool:
    oldest = _oldest_kept(layout, as_of)
    return oldest is not None and former.interval.upper <= oldest
