"""One statement of a migration, and its place in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aigym_db.model.source import Place, Source


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a migration."""

    source: Source
    start: int
    end: int
    tree: Any = None
    """Its parse tree, where a decision needs one: in every file outside a transaction."""
    instead: str | None = None
    """What is sent in its place: of a dump's settings, the same for this transaction alone."""

    @property
    def sent(self) -> str:
        """What is sent to the server."""
        return self.text if self.instead is None else self.instead

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    def place(self, index: int = 0) -> Place:
        """The place of a character of the statement."""
        return self.source.place(self.start + index)
