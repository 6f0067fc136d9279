"""Findings of lint rules, verify checks and access tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aigym_db.model.source import Place

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation of a rule: what is wrong, where, and how to correct it."""

    rule: str
    """The name of the rule, e.g. `index-without-concurrently`."""
    code: str
    """The stable code of the rule, e.g. `LOCK01`."""
    level: Level
    message: str
    """One sentence that names the object and the effect."""
    place: Place | None = None
    hint: str = ""
    """How to correct it: a sentence that begins with a verb."""
