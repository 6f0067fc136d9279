"""Data that a rollback destroys, and the number of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection

from aigym_db.database.queries import query

COUNT_LIMIT = 10_000
"""No more rows than this are counted: the exact number makes no difference, and counting on takes long."""
COUNT_TIMEOUT_MS = 5_000
"""Longest time for one count. A count that matches no rows reads the whole table."""


@dataclass(frozen=True, slots=True)
class Loss:
    """One object whose data a statement destroys, and how much."""

    name: str
    rows: int | None
    """At most COUNT_LIMIT; None if unknown, and `reason` states why."""
    effect: str = ""
    reason: str = ""

    def __str__(self) -> str:
        if self.rows is None:
            return f"{self.name}: {self.reason}" if self.reason else self.name
        more = " or more" if self.rows >= COUNT_LIMIT else ""
        effect = f" {self.effect}" if self.effect else ""
        return f"{self.name}: {self.rows}{more} row{'' if self.rows == 1 else 's'}{effect}"


def count_rows(
    connection: Connection[Any],
    name: str,
    from_clause: str,
    with_clause: str = "",
    effect: str = "",
    fallback: str = "",
) -> Loss | None:
    """Count the rows that `from_clause` returns; `fallback` replaces it if it raises an error.

    Return None if there are none, and a loss with the reason if they cannot be counted.
    """
    count = query("migrate/rows").format(clause=with_clause, counting=from_clause, limit=COUNT_LIMIT)
    try:
        with connection.transaction():
            row = connection.execute(count.encode()).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return Loss(name, None, reason="no permission to count the rows")
    except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable):
        return Loss(name, None, reason=f"counting the rows took longer than {COUNT_TIMEOUT_MS / 1000:g} s")
    except psycopg.Error as error:
        if isinstance(error, psycopg.OperationalError) and connection.closed:
            raise
        if fallback:
            return count_rows(connection, name, fallback, effect=effect)
        reason = error.diag.message_primary or "no reason given"
        return Loss(name, None, reason=f"rows cannot be counted before the rollback ({reason})")
    return Loss(name, row[0], effect) if row is not None and row[0] else None
