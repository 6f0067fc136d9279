"""Partially applied migrations, read from the ledger's journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection

from aigym_db.database.ledger import known_format
from aigym_db.database.queries import query
from aigym_db.model.migration import Direction, label


@dataclass(frozen=True, slots=True)
class PartialMigration:
    """A non-transactional migration that was started and has not finished in either direction."""

    version: int
    name: str
    checksum: str
    """With its algorithm as a prefix, `sha256:…`."""
    direction: Direction
    done: int
    """The number of statements known to be complete; the next one may be complete, too."""
    rows: int | None
    """The number of rows a backfill has changed in batches; None for other migrations."""

    @property
    def label(self) -> str:
        """The version and name, as shown in messages."""
        return label(self.version, self.name)

    @property
    def state(self) -> str:
        """`partially applied` or `partially rolled back`."""
        return "partially applied" if self.direction == "up" else "partially rolled back"

    def __str__(self) -> str:
        if self.rows is not None:
            from aigym_db.model.wording import counted

            return f"{self.state}: {counted(self.rows, 'row')} changed in batches"
        if not self.done:
            return f"interrupted in statement 1 ({self.direction})"
        return f"{self.state}: resumes at statement {self.done + 1}"


def unfinished(connection: Connection[Any], scope: str = "") -> tuple[PartialMigration, ...]:
    """Return the partially applied migrations, oldest first; none if there is no ledger or the role may not
    read its journal."""
    return known_unfinished(connection, scope) or ()


def known_unfinished(connection: Connection[Any], scope: str = "") -> tuple[PartialMigration, ...] | None:
    """Return the same; None if the role may not read the journal.

    Raise UnknownLedger (AIG-T008) if the ledger has another format.
    """
    try:
        with known_format(connection):
            rows = connection.execute(query("ledger/unfinished"), {"scope": scope}).fetchall()
    except psycopg.errors.UndefinedTable:
        return ()
    except psycopg.errors.InsufficientPrivilege:
        return None
    return tuple(PartialMigration(*row) for row in rows)
