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
    """Its parse tree; None in transactional files, which need none."""
    instead: str | None = None
    """The text sent in its place: for a setting of a dump, the same setting limited to the transaction.

    None if the statement itself is sent.
    """

    @property
    def sent(self) -> str:
        """The text that is sent to the server."""
        return self.text if self.instead is None else self.instead

    @property
    def text(self) -> str:
        """The statement as the file contains it."""
        return self.source.text[self.start : self.end]

    def place(self, index: int = 0) -> Place:
        """Return the place of the character at offset `index` of the statement."""
        return self.source.place(self.start + index)
