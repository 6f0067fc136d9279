"""CREATE INDEX IF NOT EXISTS inside a transaction: PostgreSQL looks at the name alone, and this further."""

from __future__ import annotations

import re
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.sql import Literal

from aigym_db.database.queries import query
from aigym_db.syntax.quote import quoted

_INDEX = re.compile(r"create(?:\s+(?:unique\s+)?index\b|\s*(?:unique\s*)?(?:--|/\*))", re.IGNORECASE)
"""How one begins, or what may be one when the comment is over."""
_MAYBE = re.compile(r"\bexists\b", re.IGNORECASE)


def guard(connection: Connection[Any], text: str) -> str | None:
    """The statement to send behind a CREATE INDEX IF NOT EXISTS; None behind any other.

    It fails with 55000 when what has the name is INVALID, or no index of that table.
    """
    if not _INDEX.match(text) or not _MAYBE.search(text):
        return None
    from pglast.parser import parse_sql

    tree: Any = parse_sql(text)[0].stmt
    if type(tree).__name__ != "IndexStmt" or not tree.if_not_exists:
        return None
    table = quoted(tree.relation.schemaname, tree.relation.relname)
    parameters = {"name": tree.idxname, "table": table}
    body = psycopg.ClientCursor(connection).mogrify(query("migrate/guard_index"), parameters)
    return f"do {Literal(body).as_string(connection)}"
