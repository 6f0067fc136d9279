"""The relation to which a name in a statement refers, also without the USAGE privilege on its schema."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from aigym_db.database.queries import row_without_jit


def relation(connection: Connection[Any], node: Any) -> int | None:
    """Return the OID of the relation to which a RangeVar refers; None if it does not exist."""
    return _oid(connection, node.schemaname, node.relname)


def listed(connection: Connection[Any], parts: Any) -> int | None:
    """Return the OID for a name that the parse tree represents as a list of its parts."""
    words = [part.sval for part in parts]
    return _oid(connection, words[-2] if len(words) > 1 else None, words[-1])


def _oid(connection: Connection[Any], schema: str | None, name: str) -> int | None:
    row = row_without_jit(connection, "migrate/relation", {"schema": schema, "name": name})
    return None if row is None else int(row[0])
