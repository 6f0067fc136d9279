"""CREATE INDEX IF NOT EXISTS inside a transaction: PostgreSQL compares only the name, this check also the
table and the validity."""

from __future__ import annotations

import re
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.sql import Literal

from aigym_db.database.queries import query
from aigym_db.syntax.quote import quoted

_INDEX = re.compile(r"create(?:\s+(?:unique\s+)?index\b|\s*(?:unique\s*)?(?:--|/\*))", re.IGNORECASE)
"""The start of a CREATE INDEX; also of a CREATE with a comment before the next keyword."""
_MAYBE = re.compile(r"\bexists\b", re.IGNORECASE)


def guard(connection: Connection[Any], text: str) -> str | None:
    """Return the check to send after a CREATE INDEX IF NOT EXISTS; None for any other statement.

    The check fails with SQLSTATE 55000 if the relation of that name is an INVALID index or is not an index of
    the table.
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
