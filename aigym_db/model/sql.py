"""Parsed SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aigym_db.model.source import Place, Source


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a script, without its semicolon, and its PostgreSQL parse tree."""

    source: Source
    start: int
    """Character index of its first character (comments before it left out) in the source's text."""
    end: int
    tree: Any
    """The pglast node, e.g. `pglast.ast.CreateStmt`."""

    @property
    def text(self) -> str:
        """The SQL of the statement."""
        return self.source.text[self.start : self.end]

    @property
    def kind(self) -> str:
        """The node's class name, e.g. `CreateStmt`."""
        return type(self.tree).__name__

    def place(self, index: int | None = None) -> Place:
        """Return file, line and column of a character, by default the first one of the statement.

        `index` counts from the start of the source, as the locations of nodes do.
        """
        return self.source.place(self.start if index is None else index)


@dataclass(frozen=True, slots=True)
class Script:
    """A source and its statements in order."""

    source: Source
    statements: tuple[Statement, ...]
