"""The SQL of the statements that test a command on a table, and of the queries that return what they reached.

Each function returns one statement without a semicolon. A query `select_…` returns one row with one `text[]`:
the keys of rows (`Table.key_sql`), sorted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache

from aigym_db.access.fixture import Row, writable
from aigym_db.access.tables import Grants, Table, TableColumn
from aigym_db.syntax.quote import literal

_KEYS = "coalesce(array_agg(aigym_key order by aigym_key collate \"C\"), '{}')"
_TOUCHED = "xmin::text::bigint >= txid_current() % 4294967296"
"""Rows written by this transaction: its ID and those of its subtransactions are the highest."""

_cached = lru_cache(maxsize=2_000)
"""All actors execute the same statements of a table, one table after the other."""


def written_condition() -> str:
    """Return the SQL condition that is true for rows that the current transaction inserted or updated."""
    return _TOUCHED


def select_visible(table: Table) -> str:
    """Return the query of the rows that the current role can select."""
    return f"select {_KEYS} from (select {table.key_sql} as aigym_key from {table.quoted}) as seen"


def select_written(table: Table) -> str:
    """Return the query of the rows that the current transaction inserted or updated."""
    written = f"select {table.key_sql} as aigym_key from {table.quoted} where {_TOUCHED}"
    return f"select {_KEYS} from ({written}) as written"


@_cached
def select_deleted(table: Table, rows: tuple[Row, ...]) -> str:
    """Return the query of the fixture rows that the table no longer contains."""
    every = literal(tuple(row.key for row in rows))
    return (
        f"select {_KEYS} from unnest({every}::text[]) as fixture (aigym_key) "
        f"where aigym_key not in (select {table.key_sql} from {table.quoted})"
    )


@_cached
def key_condition(table: Table, row: Row) -> str:
    """Return the SQL condition that is true for one row only."""
    values = dict(zip(writable(table), row.values, strict=True))
    if not all(name in values and values[name] is not None for name in table.key):
        return f"{table.key_sql} = {literal(row.key)}"
    return " and ".join(
        f"{table.columns[name].quoted} = {literal(values[name])}::{table.columns[name].type}"
        for name in table.key
    )


def delete_without_where(table: Table) -> str:
    """Return a DELETE of all rows without WHERE; SELECT policies do not apply to it."""
    return f"delete from {table.quoted}"


def delete_with_where(table: Table) -> str:
    """Return a DELETE of all rows with a WHERE clause, so that SELECT policies apply."""
    return f"delete from {table.quoted} where {table.key_sql} is not null"


@_cached
def delete_row(table: Table, row: Row) -> str:
    """Return the DELETE of one row; a superuser executes it before an actor inserts the row again."""
    return f"delete from {table.quoted} where {key_condition(table, row)}"


@_cached
def insert_row(table: Table, row: Row, columns: frozenset[str]) -> str:
    """Return the INSERT of a fixture row, with the values of these columns only."""
    inserted_columns = [name for name in writable(table) if name in columns]
    names = ", ".join(table.columns[name].quoted for name in inserted_columns)
    values = dict(zip(writable(table), row.values, strict=True))
    texts = ", ".join(literal(values[name]) for name in inserted_columns)
    identity = any(table.columns[name].identity for name in inserted_columns)
    overriding = " overriding system value" if identity else ""
    return f"insert into {table.quoted} ({names}){overriding} values ({texts})"


def select_inserted(table: Table, row: Row, columns: Iterable[str]) -> str:
    """Return the query of the key of the row, if an inserted row equals it in `columns`; else of no key.

    `columns` are the owner and tenant columns: if they are not inserted, a default may set another owner.
    """
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


def writable_column(table: Table, columns: Collection[str]) -> TableColumn | None:
    """Return one of `columns` for an UPDATE without WHERE that gives all rows a constant or random value.

    Such an UPDATE reads no column and violates no constraint. A column that is not unique is preferred, then
    a nullable one, then one of type text. Return None if no column qualifies.
    """
    candidates = [
        column
        for column in table.columns.values()
        if column.name in columns and not column.tied and (not column.unique or column.type in RANDOM)
    ]
    return min(
        candidates, key=lambda column: (column.unique, column.required, column.type != "text"), default=None
    )


def readable_column(table: Table, grants: Grants) -> TableColumn | None:
    """Return a column that the role can select and update, for an UPDATE that sets it to its own value.

    Return None if there is none.
    """
    both = grants.updates & grants.selects
    candidates = [column for column in table.columns.values() if column.name in both and not column.identity]
    return min(candidates, key=lambda column: column.tied or column.unique, default=None)


def update_without_where(table: Table, column: TableColumn, rows: Iterable[Row]) -> str:
    """Return an UPDATE of all rows without WHERE that reads no column; SELECT policies do not apply to it."""
    index = writable(table).index(column.name)
    values = sorted(value for row in rows if (value := row.values[index]) is not None)
    value = f"{literal(values[0])}::{column.type}" if values else "default"
    if column.unique:
        value = RANDOM[column.type]
    return f"update {table.quoted} set {column.quoted} = {value}"


def update_with_where(table: Table, column: TableColumn, where: str | None = None) -> str:
    """Return an UPDATE of the rows in `where` (default: all) to their own values; SELECT policies apply."""
    condition = where or f"{table.key_sql} is not null"
    return f"update {table.quoted} set {column.quoted} = {column.quoted} where {condition}"


def reassign(table: Table, column: str, target: str | None, where: str | None = None) -> str:
    """Return an UPDATE of an owner or tenant column to `target`, of the rows in `where` (default: all)."""
    return f"update {table.quoted} set {table.columns[column].quoted} = {literal(target)}" + (
        f" where {where}" if where else ""
    )


@_cached
def select_reassigned(table: Table, column: str, target: str | None, others: tuple[Row, ...]) -> str:
    """Return the query of the reassignments made, each as `<key> to <column> = <target>`.

    They are the rows of `others`, which had another value before, that have the value `target` now.
    """
    before = literal(tuple(row.key for row in others))
    written, value = table.columns[column], literal(target)
    unchanged = (
        f"select {table.key_sql} from {table.quoted} "
        f"where {written.quoted} is distinct from {value}::{written.type}"
    )
    suffix = literal(f" to {column} = {target or 'null'}")
    return (
        f"select {_KEYS} from (select key || {suffix} as aigym_key "
        f"from unnest({before}::text[]) as before (key) where key not in ({unchanged})) as reassigned"
    )
