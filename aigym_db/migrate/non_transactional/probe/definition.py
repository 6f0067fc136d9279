"""Whether an index that is there is the one a statement would build: PostgreSQL reads both and says."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from aigym_db.database.queries import row_without_jit


def difference(connection: Connection[Any], index: int, table: int | None, tree: Any, text: str) -> str:
    """In what an index is not what `text` (a CREATE INDEX) would build, in a sentence; empty when it is.

    The statement builds its index on an empty temporary table of the same name and columns, in a transaction
    that is rolled back. So names are looked up, and expressions, operator classes and collations understood,
    as the server does it. In doubt they differ.
    """
    try:
        with connection.transaction(force_rollback=True):
            wanted = _shape(connection, _try(connection, table, tree, text))
        found = _shape(connection, index)
    except psycopg.Error as error:
        if connection.closed:
            raise
        said = error.diag.message_primary or str(error)
        return f"Whether it is the one this statement builds could not be found out: {said}."
    differing = {name for name in found if found[name] != wanted[name]}
    if not tree.tableSpace:
        differing.discard("tablespace")
    if "columns" in differing:
        differing -= _OF_COLUMNS
    return f"They differ in {', '.join(sorted(differing))}." if differing else ""


_OF_COLUMNS = {"collations", "operator classes", "order", "parameters of operator classes"}
"""What is bound to differ where the columns do."""


def _try(connection: Connection[Any], table: int | None, tree: Any, text: str) -> int:
    """The oid of the index that the statement makes of an empty copy of the table."""
    name = tree.relation.relname
    source = row_without_jit(connection, "migrate/name", {"relation": table})
    assert source is not None
    connection.execute(SQL("create temporary table {} (like {})").format(Identifier(name), SQL(source[0])))
    unique = "unique " if tree.unique else ""
    connection.execute(
        SQL("create {}index aigym_db_wanted on pg_temp.{} {}").format(
            SQL(unique), Identifier(name), SQL(_behind_table(text))
        )
    )
    row = connection.execute("select 'pg_temp.aigym_db_wanted'::regclass::oid::bigint").fetchone()
    assert row is not None
    return int(row[0])


def _behind_table(text: str) -> str:
    """A CREATE INDEX from behind the name of its table: method, columns and the rest."""
    from pglast.parser import scan

    tokens = iter(scan(text))
    # The name of the index cannot be a bare `on`, so the first one is the keyword.
    next(token for token in tokens if token.name == "ON")
    rest = next(token for token in tokens if token.name in ("USING", "ASCII_40"))
    return text[rest.start :]


def _shape(connection: Connection[Any], index: int) -> dict[str, Any]:
    row = row_without_jit(connection, "migrate/index_shape", {"index": index})
    assert row is not None
    return dict(row[0])
