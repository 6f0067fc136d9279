"""SQL text of the statements that test a command on a table."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache

from aigym_db.access.fixture import Row, writable
from aigym_db.access.tables import Grants, Table, TableColumn
from aigym_db.syntax.quote import literal

_KEYS = "coalesce(array_agg(aigym_key order by aigym_key collate \"C\"), '{}')"
_TOUCHED = "xmin::text::bigint >= txid_current() % 4294967296"
"""Rows written by this transaction: its ID and those of its subtransactions are the highest."""

_kept = lru_cache(maxsize=2_000)
"""All actors execute the same statements of a table, one table after the other."""


def look(table: Table) -> str:
    """Select the keys of all rows visible to the actor."""
    return f"select {_KEYS} from (select {table.key_sql} as aigym_key from {table.quoted}) as seen"


def touched(table: Table) -> str:
    """Select the keys of the rows written by this transaction."""
    written = f"select {table.key_sql} as aigym_key from {table.quoted} where {_TOUCHED}"
    return f"select {_KEYS} from ({written}) as written"


@_kept
def gone(table: Table, rows: tuple[Row, ...]) -> str:
    """Select the keys of the rows that were deleted."""
    every = literal(tuple(row.key for row in rows))
    return (
        f"select {_KEYS} from unnest({every}::text[]) as gone (aigym_key) "
        f"where aigym_key not in (select {table.key_sql} from {table.quoted})"
    )


@_kept
def key_condition(table: Table, row: Row) -> str:
    """A condition that is true only for this row."""
    values = dict(zip(writable(table), row.values, strict=True))
    if not all(name in values and values[name] is not None for name in table.key):
        return f"{table.key_sql} = {literal(row.key)}"
    return " and ".join(
        f"{table.columns[name].quoted} = {literal(values[name])}::{table.columns[name].type}"
        for name in table.key
    )


def delete_blind(table: Table) -> str:
    """A DELETE without WHERE: SELECT policies do not apply."""
    return f"delete from {table.quoted}"


def delete_sighted(table: Table) -> str:
    """A DELETE that reads its rows: SELECT policies apply."""
    return f"delete from {table.quoted} where {table.key_sql} is not null"


@_kept
def take_away(table: Table, row: Row) -> str:
    """Delete a row, so that an actor can insert it again."""
    return f"delete from {table.quoted} where {key_condition(table, row)}"


@_kept
def forge(table: Table, row: Row, columns: frozenset[str]) -> str:
    """Insert the same row, limited to these columns."""
    given = [name for name in writable(table) if name in columns]
    names = ", ".join(table.columns[name].quoted for name in given)
    values = dict(zip(writable(table), row.values, strict=True))
    texts = ", ".join(literal(values[name]) for name in given)
    identity = any(table.columns[name].identity for name in given)
    overriding = " overriding system value" if identity else ""
    return f"insert into {table.quoted} ({names}){overriding} values ({texts})"


def forged(table: Table, row: Row, columns: Iterable[str]) -> str:
    """Select the key of the row if the inserted row has the same owner and tenant columns."""
    values = dict(zip(writable(table), row.values, strict=True))
    same = " and ".join(
        f"{column.quoted} is not distinct from {literal(values[column.name])}::{column.type}"
        for column in (table.columns[name] for name in columns)
    )
    inserted = f"exists (select from {table.quoted} where {_TOUCHED} and {same or 'true'})"
    return f"select case when {inserted} then array[{literal(row.key)}]::text[] else '{{}}' end"


RANDOM = {
    "text": "gen_random_uuid()::text",
    "uuid": "gen_random_uuid()",
    "integer": "(random() * 2147483647)::integer",
    "bigint": "(random() * 9007199254740991)::bigint",
    "timestamp with time zone": "clock_timestamp()",
}
"""An expression that returns another value for each row without reading it, by type; for unique columns."""


def free(table: Table, columns: Collection[str]) -> TableColumn | None:
    """A column that can be written in all rows without reading them and without violating a constraint."""
    candidates = [
        column
        for column in table.columns.values()
        if column.name in columns and not column.tied and (not column.unique or column.type in RANDOM)
    ]
    return min(
        candidates, key=lambda column: (column.unique, column.required, column.type != "text"), default=None
    )


def readable(table: Table, grants: Grants) -> TableColumn | None:
    """A column that the role can read and write, so that a row can be updated without a change."""
    both = grants.updates & grants.selects
    candidates = [column for column in table.columns.values() if column.name in both and not column.identity]
    return min(candidates, key=lambda column: column.tied or column.unique, default=None)


def update_blind(table: Table, column: TableColumn, rows: Iterable[Row]) -> str:
    """An UPDATE without WHERE that reads no column: SELECT policies do not apply."""
    index = writable(table).index(column.name)
    values = sorted(value for row in rows if (value := row.values[index]) is not None)
    value = f"{literal(values[0])}::{column.type}" if values else "default"
    if column.unique:
        value = RANDOM[column.type]
    return f"update {table.quoted} set {column.quoted} = {value}"


def update_sighted(table: Table, column: TableColumn, where: str | None = None) -> str:
    """An UPDATE that reads its rows and keeps their values: SELECT policies apply."""
    condition = where or f"{table.key_sql} is not null"
    return f"update {table.quoted} set {column.quoted} = {column.quoted} where {condition}"


def reassign(table: Table, column: str, target: str | None, where: str | None = None) -> str:
    """An UPDATE of an owner or tenant column, of all rows or of those in `where`."""
    return f"update {table.quoted} set {table.columns[column].quoted} = {literal(target)}" + (
        f" where {where}" if where else ""
    )


@_kept
def reassigned(table: Table, column: str, target: str | None, elsewhere: tuple[Row, ...]) -> str:
    """Select the reassignments made: rows that had another value before and no longer have it."""
    before = literal(tuple(row.key for row in elsewhere))
    written, value = table.columns[column], literal(target)
    still = (
        f"select {table.key_sql} from {table.quoted} "
        f"where {written.quoted} is distinct from {value}::{written.type}"
    )
    arrived = literal(f" to {column} = {target or 'null'}")
    gone = (
        f"select aigym_key from unnest({before}::text[]) as was (aigym_key) where aigym_key not in ({still})"
    )
    return f"select {_KEYS} from (select aigym_key || {arrived} as aigym_key from ({gone}) as left_) as moved"
