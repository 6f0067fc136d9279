"""UPDATE and DELETE without WHERE, to which no policy for SELECT applies, reach only readable rows."""

from __future__ import annotations

import psycopg
import pytest

from aigym_db.access.matrix import predicate, read_matrix
from aigym_db.model.access import Command
from tests.reference.conftest import PROJECT, ReferenceDatabase

MATRIX = read_matrix(PROJECT.root)


@pytest.mark.parametrize("command", ["update", "delete"])
def test_no_actor_writes_rows_that_it_cannot_read(base: ReferenceDatabase, command: Command) -> None:
    """The matrix is tested against the policies, so its row classes show which rows an actor reaches."""
    unread: list[str] = []
    with base.connection() as connection:
        for table, table_matrix in MATRIX.tables.items():
            for name, actor in MATRIX.actors.items():
                written = predicate(table_matrix, table_matrix.cells[name, command].classes, actor)
                read = predicate(table_matrix, table_matrix.cells[name, "select"].classes, actor)
                if written != "false" and _exists(connection, table, f"({written}) and ({read}) is not true"):
                    unread.append(f"{table}: {name}")

    assert unread == []


def _exists(connection: psycopg.Connection, table: str, condition: str) -> bool:
    row = connection.execute(f"select exists (select from {table} where {condition})".encode()).fetchone()
    return row == (True,)
