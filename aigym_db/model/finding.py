"""What a check found, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aigym_db.model.source import Place

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Fix:
    """SQL that does the same without the finding."""

    title: str
    sql: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, where, and what to do about it."""

    rule: str
    """Its name, e.g. `index-without-concurrently`; completes "allow …"."""
    code: str
    """A code that never changes, e.g. `LOCK01`."""
    level: Level
    message: str
    """One sentence that names the object and what it means for the reader."""
    place: Place | None = None
    help: str = ""
    """A sentence that starts with a verb."""
    fix: Fix | None = None
