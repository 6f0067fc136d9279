"""Evaluate row classes on the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psycopg

from aigym_db.access.matrix import AccessMatrix, predicate
from aigym_db.access.matrix_files import TableMatrix
from aigym_db.access.tables import Table
from aigym_db.database.migration_session import Connection
from aigym_db.errors import BadAccessMatrix
from aigym_db.model.access import Actor, Cell


def current_rows(table: Table) -> str:
    """Return the FROM item with the rows of a table: key (`aigym_key`), null (`aigym_target`) and columns."""
    keyed = f"select {table.key_sql} as aigym_key, null::text as aigym_target, * from {table.quoted}"
    return f"({keyed}) as {table.alias}"


def matching_rows(
    connection: Connection,
    source: str,
    sql: Mapping[tuple[str, str], str],
    table_matrix: TableMatrix,
    matrix: AccessMatrix,
) -> dict[tuple[str, str], frozenset[tuple[str, str | None]]]:
    """Return the rows for which each condition of `sql` is true, as (`aigym_key`, `aigym_target`).

    `source` is a FROM item with these two columns and those of the table; `sql` maps (actor, command or step)
    to a condition. All are evaluated by one query. Raise BadAccessMatrix (AIG-P012) with the place of the
    first cell whose condition PostgreSQL rejects.
    """
    texts = sorted(set(sql.values()))
    flags = ", ".join(f"coalesce(({text}), false)" for text in texts)
    try:
        with connection.transaction():
            rows: Sequence[tuple[str, str | None, list[bool]]] = connection.execute(
                f"select aigym_key, aigym_target, array[{flags}] from {source}".encode()
            ).fetchall()
    except psycopg.Error as error:
        raise _rejected_class(connection, table_matrix, matrix, source, error) from error
    matches = {
        text: frozenset((key, target) for key, target, results in rows if results[index])
        for index, text in enumerate(texts)
    }
    return {which: matches[text] for which, text in sql.items()}


def _rejected_class(
    connection: Connection, table_matrix: TableMatrix, matrix: AccessMatrix, source: str, error: psycopg.Error
) -> BadAccessMatrix:
    """Return the error of the first cell whose row classes PostgreSQL rejects."""
    failure, place, subject = error, table_matrix.place, "its row classes"
    for cell in table_matrix.cells.values():
        if cell.command == "reassign":
            continue
        if failed := _fails(connection, table_matrix, matrix.actors[cell.actor], cell, source):
            failure, place, subject = (
                failed,
                cell.place or table_matrix.place,
                f"the row classes of {cell.actor}, {cell.command}",
            )
            break
    return BadAccessMatrix(
        f"{table_matrix.table}: PostgreSQL rejects {subject}: {failure.diag.message_primary}.",
        place=place,
        detail=str(failure),
        hint="Correct the SQL of the class under `rows`.",
    )


def _fails(
    connection: Connection, table_matrix: TableMatrix, actor: Actor, cell: Cell, source: str
) -> psycopg.Error | None:
    try:
        with connection.transaction():
            connection.execute(
                f"select {predicate(table_matrix, cell.classes, actor)} from {source}".encode()
            )
    except psycopg.Error as error:
        return error
    return None
