"""Which relation a name in a statement means, also without the right to look into its schema."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from aigym_db.database.queries import row_without_jit


def relation(connection: Connection[Any], node: Any) -> int | None:
    """The oid of the relation that a name of a parse tree means; None when there is none."""
    return _oid(connection, node.schemaname, node.relname)


def listed(connection: Connection[Any], parts: Any) -> int | None:
    """The same for a name that the tree keeps as a list of its parts."""
    words = [part.sval for part in parts]
    return _oid(connection, words[-2] if len(words) > 1 else None, words[-1])


def _oid(connection: Connection[Any], schema: str | None, name: str) -> int | None:
    row = row_without_jit(connection, "migrate/relation", {"schema": schema, "name": name})
    return None if row is None else int(row[0])
