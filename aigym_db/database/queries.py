"""The package's own SQL: one statement per file in `aigym_db/sql/`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from psycopg import Connection

FOLDER = Path(__file__).parent.parent / "sql"


@cache
def query(name: str) -> str:
    """Return the statement in `aigym_db/sql/<name>.sql`, e.g. `query("ledger/applied")`."""
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def rows_without_jit(
    connection: Connection[Any], name: str, parameters: Mapping[str, object]
) -> list[tuple[Any, ...]]:
    """Return the rows of a query of the package on a connection that keeps the server's setting of `jit`.

    On Debian's PostgreSQL 15 JIT compilation of the query about REINDEX takes 0.6 s of 0.6 s, and `migrate`
    runs it three times per statement. The setting ends with the transaction.
    """
    with connection.transaction():
        connection.execute("select pg_catalog.set_config('jit', 'off', true)")
        return connection.execute(query(name).encode(), parameters).fetchall()


def row_without_jit(
    connection: Connection[Any], name: str, parameters: Mapping[str, object]
) -> tuple[Any, ...] | None:
    """Return the first row of `rows_without_jit`, None if there is none."""
    return next(iter(rows_without_jit(connection, name, parameters)), None)
