"""The fixture rows of a table: keys, owners, and the row classes that contain them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from aigym_db.access.matching import current_rows, matching_rows
from aigym_db.access.matrix import AccessMatrix, predicate
from aigym_db.access.matrix_files import TableMatrix
from aigym_db.access.reassignments import Reassignments, find_reassignments
from aigym_db.access.tables import Table
from aigym_db.database.migration_session import Connection


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A row of the fixture."""

    key: str
    label: str
    """Its owner and tenant columns, for messages: `tenant_id = …`."""
    values: tuple[str | None, ...]
    """The value of each `writable` column, as text."""


@dataclass(frozen=True, slots=True)
class Fixture:
    """The rows of one table, and the expected keys of each cell."""

    rows: tuple[Row, ...]
    """Sorted by key."""
    expected: Mapping[tuple[str, str], frozenset[str]]
    """By (actor, command), the keys that the actor is expected to reach."""
    reassignments: Reassignments

    def rows_to_reassign(self, table: Table, column: str, target: str | None) -> tuple[Row, ...]:
        """Return the rows whose owner or tenant column has a value other than `target`."""
        return _with_other_value(self.rows, writable(table).index(column), target)


@lru_cache(maxsize=2_000)
def _with_other_value(rows: tuple[Row, ...], index: int, target: str | None) -> tuple[Row, ...]:
    return tuple(row for row in rows if row.values[index] != target)


@lru_cache
def writable(table: Table) -> tuple[str, ...]:
    """Return the names of the columns that are not generated, in the table's order."""
    return tuple(column.name for column in table.columns.values() if not column.generated)


def fixture(connection: Connection, matrix: AccessMatrix, table_matrix: TableMatrix, table: Table) -> Fixture:
    """Read the rows of a table and evaluate its cells on them; the connection must be of a superuser.

    Raise BadAccessMatrix (AIG-P012) with the cell's place if PostgreSQL rejects a row class.
    """
    columns = writable(table)
    texts = ", ".join(f"{table.columns[name].quoted}::text" for name in columns)
    texts_of_rows = connection.execute(
        f"select {table.key_sql} as key, array[{texts}]::text[] from {table.quoted}".encode()
    ).fetchall()
    rows = tuple(
        Row(
            key,
            ", ".join(
                f"{name} = {dict(zip(columns, values, strict=True))[name]}"
                for name in table_matrix.reassignments
            ),
            tuple(values),
        )
        for key, values in sorted(texts_of_rows)
    )
    cells = [cell for cell in table_matrix.cells.values() if cell.command != "reassign"]
    sql: dict[tuple[str, str], str] = {
        (cell.actor, cell.command): predicate(table_matrix, cell.classes, matrix.actors[cell.actor])
        for cell in cells
    }
    expected = {
        cell: frozenset(key for key, _ in rows_matching)
        for cell, rows_matching in matching_rows(
            connection, current_rows(table), sql, table_matrix, matrix
        ).items()
    }
    reassigning = [actor for actor in matrix.actors if table_matrix.cells[actor, "reassign"].classes]
    return Fixture(rows, expected, find_reassignments(connection, matrix, table_matrix, table, reassigning))
