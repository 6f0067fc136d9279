"""The SQL of the steps. Every name is qualified; bounds are in UTC."""

from __future__ import annotations

from datetime import datetime

from aigym_db.partitions.interval import Interval
from aigym_db.partitions.layout import Layout, copy_comment
from aigym_db.syntax.quote import literal, quoted

BOUNDS = "aigym_db_bounds"
"""The CHECK constraint of a copy, which proves its bounds: ATTACH PARTITION then reads no rows."""


def bound(moment: datetime) -> str:
    """Return a time as an SQL constant that a date, a timestamp and a timestamptz accept."""
    return literal(f"{moment:%Y-%m-%d %H:%M:%S}+00")


def within(layout: Layout, interval: Interval, alias: str = "") -> str:
    """Return the condition that a row is in an interval; `alias` is that of its table."""
    key = quoted(alias, layout.key)
    return f"{key} >= {bound(interval.lower)} and {key} < {bound(interval.upper)}"


def create_table(layout: Layout, table: str, model: str, *, with_indexes: bool) -> tuple[str, ...]:
    """Return the statements that create an empty, closed table for a partition.

    ATTACH PARTITION creates the indexes and foreign keys of a table that lacks them. A table that is filled
    before has its indexes, of the partition `model`, from the beginning.
    """
    indexes = "" if with_indexes else " excluding indexes"
    return (
        f"create table {table} (like {model} including all excluding identity{indexes})",
        *((f"alter table {table} enable row level security",) if layout.row_security else ()),
        f"revoke all on table {table} from public",
    )


def create_copy(layout: Layout, table: str, interval: Interval) -> tuple[str, ...]:
    """Return the statements that create an empty copy: indexes, foreign keys, and a proof of its bounds."""
    assert layout.overflow is not None
    is_not_null = "" if layout.key_is_not_null else f"{quoted(layout.key)} is not null and "
    return (
        *create_table(layout, table, layout.overflow.qualified, with_indexes=True),
        f"alter table {table} add constraint {BOUNDS} check ({is_not_null}{within(layout, interval)})",
        *(f"alter table {table} add constraint {foreign_key}" for foreign_key in layout.foreign_keys),
        f"comment on table {table} is {copy_comment(None)}",
    )


def insert_rows(layout: Layout, table: str, condition: str, source: str | None = None) -> str:
    """Return the statement that copies rows of the overflow partition; `source` is its name, if changed."""
    assert layout.overflow is not None
    columns = ", ".join(quoted(column) for column in layout.columns)
    source = source or layout.overflow.qualified
    return f"insert into {table} ({columns}) select {columns} from {source} as t where {condition}"


def written_since(transaction: int) -> str:
    """Return the condition that a row `t` was written by `transaction` or a later one.

    xmin has 32 bits: its age is its distance from the next transaction, of which the snapshot's xmax is a
    bound; the id of this transaction can be lower than that of a row. A row more than 2^32 transactions old
    can appear to be newer, never the reverse.
    """
    following = "pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::bigint"
    age = f"pg_catalog.mod({following} - t.xmin::text::bigint + 4294967296, 4294967296)"
    return f"{following} - {age} >= {transaction}"


def delete_changed(layout: Layout, table: str, interval: Interval, transaction: int) -> str:
    """Return the statement that deletes rows of a copy that were written again since."""
    assert layout.overflow is not None
    return (
        f"delete from {table} as c using {layout.overflow.qualified} as t "
        f"where {_same_key(layout)} and {within(layout, interval, 't')} and {written_since(transaction)}"
    )


def delete_missing(layout: Layout, table: str) -> str:
    """Return the statement that deletes rows of a copy that were deleted since."""
    assert layout.overflow is not None
    return (
        f"delete from {table} as c where not exists "
        f"(select from {layout.overflow.qualified} as t where {_same_key(layout)})"
    )


def attach(layout: Layout, table: str, interval: Interval) -> str:
    """Return the statement that attaches the partition of an interval."""
    return (
        f"alter table {layout.qualified} attach partition {table} "
        f"for values from ({bound(interval.lower)}) to ({bound(interval.upper)})"
    )


def attach_overflow(layout: Layout, table: str, lower: datetime) -> str:
    """Return the statement that attaches the overflow partition."""
    bounds = f"from ({bound(lower)}) to (maxvalue)"
    return f"alter table {layout.qualified} attach partition {table} for values {bounds}"


def _same_key(layout: Layout) -> str:
    return " and ".join(f"c.{quoted(column)} = t.{quoted(column)}" for column in layout.primary_key)
