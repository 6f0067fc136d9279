"""Where a database stands, as programs read it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from aigym_db.database.partially_applied import PartialMigration
from aigym_db.model.migration import Migration


def unfinished_json(found: Iterable[PartialMigration] | None) -> list[dict[str, Any]] | None:
    """What was cut short as the JSON document lists it; null where nobody knows."""
    if found is None:
        return None
    return [
        {
            "version": one.version,
            "name": one.name,
            "direction": one.direction,
            "statements_done": one.done,
            "rows_changed": one.rows,
        }
        for one in found
    ]


def pending_json(pending: Iterable[Migration], frozen: Collection[int]) -> list[dict[str, Any]]:
    """What is to be applied as the JSON document lists it."""
    return [
        {"version": one.version, "name": one.name, "phase": one.phase, "frozen": one.version in frozen}
        for one in pending
    ]
