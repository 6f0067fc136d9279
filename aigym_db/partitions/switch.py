"""The transaction that attaches new partitions and replaces the overflow partition."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection

from aigym_db.errors import StatementFailed
from aigym_db.partitions import statements as sql
from aigym_db.partitions.interval import interval_at
from aigym_db.partitions.layout import Layout, Partition, rows_by_interval
from aigym_db.partitions.plan import DuePartition, PartitionStep
from aigym_db.syntax.quote import quoted


def switch(connection: Connection[Any], step: PartitionStep, copies: Mapping[str, int]) -> None:
    """Attach the partitions of a step, inside a transaction of the caller.

    `copies` are the tables that contain rows of the overflow partition already, each with the transaction
    before which it is complete. Rows written or deleted since are transferred under the lock of the table.
    Raise StatementFailed (AIG-S002) if a row would be missing or present twice.
    """
    layout, overflow = step.layout, step.layout.overflow
    tables = {due.name: layout.qualified_partition(due.name) for due in step.partitions}
    for due in step.partitions:
        if due.name not in copies:
            _execute(
                connection, *sql.create_table(layout, tables[due.name], layout.qualified, with_indexes=False)
            )
    last = max([*_bounded_ends(layout), *(due.interval.upper for due in step.partitions)], default=None)
    if overflow is not None:
        assert last is not None
        _execute(connection, f"lock table {layout.qualified} in access exclusive mode")
        old = _transfer(connection, step, overflow, tables, copies, last)
        _attach_all(connection, step, tables, copies)
        _execute(connection, sql.attach_overflow(layout, _overflow_table(layout), last), f"drop table {old}")
        return
    _attach_all(connection, step, tables, copies)
    if last is not None and not layout.has_default and all(each.upper for each in layout.partitions):
        table = _overflow_table(layout)
        _execute(
            connection,
            *sql.create_table(layout, table, layout.qualified, with_indexes=False),
            sql.attach_overflow(layout, table, last),
        )


def _transfer(
    connection: Connection[Any],
    step: PartitionStep,
    overflow: Partition,
    tables: Mapping[str, str],
    copies: Mapping[str, int],
    last: datetime,
) -> str:
    """Detach the overflow partition after its rows are complete in other tables; return its new name.

    The rows after the last interval are inserted into a new overflow partition.
    """
    layout = step.layout
    counts = dict(connection.execute(rows_by_interval(layout, overflow.qualified).encode()).fetchall())
    total = sum(counts.values())
    moved = 0
    for due in step.partitions:
        # The interval of a partition can begin after that of its name; the rows are counted by the latter.
        count = counts.get(interval_at(layout.strategy.width, due.interval.lower).lower, 0)
        table = tables[due.name]
        if due.name in copies:
            _reconcile(connection, layout, due, table, copies[due.name], count)
        elif count:
            _execute(connection, sql.insert_rows(layout, table, sql.within(layout, due.interval)))
        moved += count
    parked = f"{layout.partition_name(None)}_moved"
    new = _overflow_table(layout)
    later = sum(count for begin, count in counts.items() if begin >= last)
    if moved + later != total:
        raise StatementFailed(
            f"The rows of {overflow.schema}.{overflow.name} do not fit into the partitions that are due.",
            hint="Create partitions for older rows with `aigym-db partitions apply --since DATE`.",
        )
    _execute(connection, f"alter table {overflow.qualified} rename to {quoted(parked)}")
    old = quoted(overflow.schema, parked)
    _execute(connection, *sql.create_table(layout, new, layout.qualified, with_indexes=False))
    if later:
        _execute(
            connection, sql.insert_rows(layout, new, f"{quoted(layout.key)} >= {sql.bound(last)}", source=old)
        )
    _execute(connection, f"alter table {layout.qualified} detach partition {old}")
    return old


def _reconcile(
    connection: Connection[Any], layout: Layout, due: DuePartition, table: str, transaction: int, count: int
) -> None:
    """Transfer what changed in the overflow partition since a copy was made."""
    _execute(
        connection,
        sql.delete_changed(layout, table, due.interval, transaction),
        sql.insert_rows(
            layout, table, f"{sql.within(layout, due.interval)} and {sql.written_since(transaction)}"
        ),
    )
    if _count(connection, table) != count:
        _execute(connection, sql.delete_missing(layout, table))
    copied = _count(connection, table)
    if copied != count:
        raise StatementFailed(
            f"The copy {table} has {copied} rows, the overflow partition {count}.",
            hint=f"Drop {table}, and run the command again.",
        )


def _attach_all(
    connection: Connection[Any], step: PartitionStep, tables: Mapping[str, str], copies: Mapping[str, int]
) -> None:
    for due in step.partitions:
        _execute(connection, sql.attach(step.layout, tables[due.name], due.interval))
        if due.name in copies:
            _execute(
                connection,
                f"alter table {tables[due.name]} drop constraint {sql.BOUNDS}",
                f"comment on table {tables[due.name]} is null",
            )


def _bounded_ends(layout: Layout) -> list[datetime]:
    return [each.upper for each in layout.partitions if each.upper]


def _overflow_table(layout: Layout) -> str:
    return layout.qualified_partition(layout.partition_name(None))


def _count(connection: Connection[Any], table: str) -> int:
    row = connection.execute(f"select pg_catalog.count(*) from {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def _execute(connection: Connection[Any], *texts: str) -> None:
    for text in texts:
        connection.execute(text.encode())
