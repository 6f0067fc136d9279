"""The difference between an existing index and the one a statement would build, as PostgreSQL reads both."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from aigym_db.database.queries import row_without_jit


def difference(connection: Connection[Any], index: int, table: int | None, tree: Any, text: str) -> str:
    """Return a sentence that lists in what an index differs from the one that `text` would build.

    `text` is a CREATE INDEX. The result is empty if they are the same. The statement is executed on an empty
    temporary table of the same name and columns, in a transaction that is rolled back, so the server itself
    resolves names, expressions, operator classes and collations. If the comparison fails, the sentence
    contains the reason.
    """
    try:
        with connection.transaction(force_rollback=True):
            expected = _shape(connection, _build(connection, table, tree, text))
        actual = _shape(connection, index)
    except psycopg.Error as error:
        if connection.closed:
            raise
        reason = error.diag.message_primary or str(error)
        return f"It could not be compared with the index of this statement: {reason}."
    differing = {name for name in actual if actual[name] != expected[name]}
    if not tree.tableSpace:
        differing.discard("tablespace")
    if "columns" in differing:
        differing -= _OF_COLUMNS
    return f"They differ in {', '.join(sorted(differing))}." if differing else ""


_OF_COLUMNS = {"collations", "operator classes", "order", "parameters of operator classes"}
"""The properties that necessarily differ if the columns do."""


def _build(connection: Connection[Any], table: int | None, tree: Any, text: str) -> int:
    """Build the statement's index on an empty copy of the table and return its OID."""
    name = tree.relation.relname
    source = row_without_jit(connection, "migrate/name", {"relation": table})
    assert source is not None
    connection.execute(SQL("create temporary table {} (like {})").format(Identifier(name), SQL(source[0])))
    unique = "unique " if tree.unique else ""
    connection.execute(
        SQL("create {}index aigym_db_wanted on pg_temp.{} {}").format(
            SQL(unique), Identifier(name), SQL(_after_table(text))
        )
    )
    row = connection.execute("select 'pg_temp.aigym_db_wanted'::regclass::oid::bigint").fetchone()
    assert row is not None
    return int(row[0])


def _after_table(text: str) -> str:
    """Return the part of a CREATE INDEX after the table name: method, columns and options."""
    from pglast.parser import scan

    tokens = iter(scan(text))
    # An unquoted index name cannot be `on`, so the first ON token is the keyword.
    next(token for token in tokens if token.name == "ON")
    rest = next(token for token in tokens if token.name in ("USING", "ASCII_40"))
    return text[rest.start :]


def _shape(connection: Connection[Any], index: int) -> dict[str, Any]:
    row = row_without_jit(connection, "migrate/index_shape", {"index": index})
    assert row is not None
    return dict(row[0])
