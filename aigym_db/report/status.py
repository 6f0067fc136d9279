"""The status of a database as JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from aigym_db.database.partially_applied import PartialMigration
from aigym_db.model.migration import Migration


def unfinished_json(migrations: Iterable[PartialMigration] | None) -> list[dict[str, Any]] | None:
    """Return partially applied migrations as JSON; None if the role cannot read the journal."""
    if migrations is None:
        return None
    return [
        {
            "version": migration.version,
            "name": migration.name,
            "direction": migration.direction,
            "statements_done": migration.done,
            "rows_changed": migration.rows,
        }
        for migration in migrations
    ]


def pending_json(pending: Iterable[Migration], frozen: Collection[int]) -> list[dict[str, Any]]:
    """Return pending migrations as JSON."""
    return [
        {
            "version": migration.version,
            "name": migration.name,
            "phase": migration.phase,
            "frozen": migration.version in frozen,
        }
        for migration in pending
    ]
