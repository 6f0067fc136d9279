"""The partitions of a table as the catalog contains them, and the tables that were or become partitions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from psycopg import Connection

from aigym_db.database.queries import query
from aigym_db.partitions.interval import Interval, interval_at, interval_of, suffix
from aigym_db.partitions.strategy import Strategy
from aigym_db.syntax.quote import literal, quoted

OVERFLOW = "overflow"
"""The end of the name of the partition whose upper bound is MAXVALUE."""

_COPY = re.compile(
    r"aigym-db: copy of rows in the overflow partition(?:, complete before transaction (\d+))?"
)
_FORMER = re.compile(
    r"aigym-db: detached at (\S+)(?:; archived (\d+) rows in (.+) with SHA-256 ([0-9a-f]{64}))?"
)


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition; its bounds are None where it is unbounded."""

    schema: str
    name: str
    is_default: bool
    lower: datetime | None
    upper: datetime | None
    is_pending: bool
    """True if its detach was interrupted."""
    rows: int
    """An estimate."""

    @property
    def qualified(self) -> str:
        """Its name as SQL."""
        return quoted(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Copy:
    """A table that apply fills with rows of the overflow partition before it is attached."""

    name: str
    complete_before: int | None
    """Every row written by a transaction before this one is part of the copy; None if it is empty."""


@dataclass(frozen=True, slots=True)
class Former:
    """A detached partition."""

    name: str
    interval: Interval
    detached_at: datetime | None
    """None if the comment that contains the time is missing: apply was interrupted, or did not detach it."""
    archived_rows: int | None
    """None if it was not archived."""
    rows: int
    """An estimate."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A table that is partitioned by time, its partitions, and tables with the name of a partition."""

    strategy: Strategy
    schema: str
    """The schema of the table."""
    name: str
    partition_schema: str
    prefix: str
    """The beginning of the names of its partitions."""
    key: str
    key_is_not_null: bool
    columns: tuple[str, ...]
    """Those that can be inserted: all but generated ones."""
    primary_key: tuple[str, ...]
    foreign_keys: tuple[str, ...]
    """The names and definitions of its foreign keys, as SQL."""
    row_security: bool
    partitions: tuple[Partition, ...] = ()
    copies: tuple[Copy, ...] = ()
    former: tuple[Former, ...] = ()
    overflow_rows: tuple[tuple[Interval, int], ...] = ()
    """The number of rows in the overflow partition by interval, the oldest first."""

    @property
    def table(self) -> str:
        """The table as `schema.table`."""
        return f"{self.schema}.{self.name}"

    @property
    def qualified(self) -> str:
        """Its name as SQL."""
        return quoted(self.schema, self.name)

    @property
    def overflow(self) -> Partition | None:
        """The partition whose upper bound is MAXVALUE, after others; None if there is none."""
        return next(
            (each for each in self.partitions if not each.is_default and each.lower and not each.upper), None
        )

    @property
    def has_default(self) -> bool:
        """True if the table has a DEFAULT partition."""
        return any(partition.is_default for partition in self.partitions)

    def partition_name(self, interval: Interval | None) -> str:
        """Return the name of the partition of an interval; None is the overflow partition."""
        return f"{self.prefix}{suffix(self.strategy.width, interval) if interval else OVERFLOW}"

    def qualified_partition(self, name: str) -> str:
        """Return the name of a table in the schema of the partitions as SQL."""
        return quoted(self.partition_schema, name)


def layouts(
    connection: Connection[Any],
    known: Iterable[Strategy],
    partition_schema: str | None,
    *,
    count_rows: bool = True,
) -> tuple[Layout, ...]:
    """Return the layout of each table that is partitioned by range of the column of its strategy.

    Partitions are created in `partition_schema`, as `<schema>__<table>_p202611`; without one in the schema of
    the table, as `<table>_p202611`. With `count_rows`, the rows of overflow partitions are counted, so the
    role of the connection must be able to read them.
    """
    by_table = {strategy.table: strategy for strategy in known}
    parameters = {"tables": [*by_table]}
    partitions: dict[str, list[Partition]] = {}
    for parent, *values in connection.execute(query("partitions/partitions"), parameters):
        partitions.setdefault(parent, []).append(Partition(*values))
    tables = connection.execute(query("partitions/tables"), parameters).fetchall()
    uncounted = tuple(
        _layout(connection, by_table[f"{row[0]}.{row[1]}"], row, partitions, partition_schema)
        for row in tables
        if row[2] == by_table[f"{row[0]}.{row[1]}"].key
    )
    return tuple(_with_rows(connection, layout) for layout in uncounted) if count_rows else uncounted


def copy_comment(complete_before: int | None) -> str:
    """Return the comment that marks a copy, as an SQL constant."""
    ending = "" if complete_before is None else f", complete before transaction {complete_before}"
    return literal(f"aigym-db: copy of rows in the overflow partition{ending}")


def former_comment(detached_at: datetime, archive: tuple[int, str, str] | None = None) -> str:
    """Return the comment of a detached partition as an SQL constant; `archive` is rows, place, SHA-256."""
    ending = f"; archived {archive[0]} rows in {archive[1]} with SHA-256 {archive[2]}" if archive else ""
    return literal(f"aigym-db: detached at {detached_at.isoformat()}{ending}")


def _layout(
    connection: Connection[Any],
    strategy: Strategy,
    row: tuple[Any, ...],
    partitions: dict[str, list[Partition]],
    partition_schema: str | None,
) -> Layout:
    schema, name, key, key_is_not_null, columns, primary_key, foreign_keys, row_security = row
    home = partition_schema or schema
    prefix = f"{schema}__{name}_" if partition_schema else f"{name}_"
    own = tuple(partitions.get(f"{schema}.{name}", ()))
    copies, former = [], []
    tables = connection.execute(query("partitions/standalone"), {"schema": home, "prefix": prefix}).fetchall()
    for table, comment, rows in tables:
        interval = interval_of(strategy.width, table.removeprefix(prefix))
        if interval is None:
            continue
        if copy := _COPY.fullmatch(comment or ""):
            copies.append(Copy(table, int(copy[1]) if copy[1] else None))
            continue
        known = _FORMER.fullmatch(comment or "")
        detached_at = datetime.fromisoformat(known[1]) if known else None
        archived_rows = int(known[2]) if known and known[2] else None
        former.append(Former(table, interval, detached_at, archived_rows, rows))
    return Layout(
        strategy,
        schema,
        name,
        home,
        prefix,
        key,
        key_is_not_null,
        tuple(columns),
        tuple(primary_key),
        tuple(foreign_keys),
        row_security,
        own,
        tuple(copies),
        tuple(former),
    )


def rows_by_interval(layout: Layout, table: str) -> str:
    """Return the query of the number of rows in each interval; its first column is the interval's begin.

    Rows of the year 9000 or later, which are those of `infinity`, too, are counted as of its begin.
    """
    key = f"least({quoted(layout.key)}::timestamptz, '9000-01-01')"
    begin = f"pg_catalog.date_trunc({literal(layout.strategy.width)}, {key})"
    return f"select {begin}, pg_catalog.count(*) from {table} group by 1 order by 1"


def _with_rows(connection: Connection[Any], layout: Layout) -> Layout:
    """Return the layout with the numbers of rows in its overflow partition."""
    if layout.overflow is None:
        return layout
    counts = connection.execute(rows_by_interval(layout, layout.overflow.qualified).encode())
    rows = tuple((interval_at(layout.strategy.width, begin), count) for begin, count in counts)
    return replace(layout, overflow_rows=rows)
