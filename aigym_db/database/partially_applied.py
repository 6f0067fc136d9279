"""Migrations outside a transaction that were cut short, as the ledger's journal has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection

from aigym_db.database.queries import query
from aigym_db.model.migration import Direction


@dataclass(frozen=True, slots=True)
class PartialMigration:
    """A migration that was begun and neither applied nor undone since."""

    version: int
    name: str
    checksum: str
    """With its algorithm in front."""
    direction: Direction
    done: int
    """How many of its statements are certain to be done; the next one may be, too."""
    rows: int | None
    """How many rows a backfill has changed in batches; None for everything else."""

    @property
    def label(self) -> str:
        """How a person speaks of it."""
        return f"{self.version:04d} {self.name}"

    @property
    def half(self) -> str:
        """In words, in which direction it is half-way."""
        return "half applied" if self.direction == "up" else "half undone"

    def __str__(self) -> str:
        if self.rows is not None:
            return f"{self.half}: {self.rows:,} rows changed in batches"
        if not self.done:
            return f"cut short on its way {self.direction} in statement 1"
        return f"{self.half}: goes on at statement {self.done + 1}"


def unfinished(connection: Connection[Any], scope: str = "") -> tuple[PartialMigration, ...]:
    """What was begun and is not finished, oldest first; nothing where there is no ledger, or none whose
    journal this role may read."""
    return known_unfinished(connection, scope) or ()


def known_unfinished(connection: Connection[Any], scope: str = "") -> tuple[PartialMigration, ...] | None:
    """The same; None where this role may not read the journal, and so nobody knows."""
    try:
        rows = connection.execute(query("ledger/unfinished"), {"scope": scope}).fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        return ()
    except psycopg.errors.InsufficientPrivilege:
        return None
    return tuple(PartialMigration(*row) for row in rows)
