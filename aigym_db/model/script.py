"""What of a migration's text is no SQL, and what is sent in place of a piece of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CopyData:
    """The lines behind a `COPY … FROM stdin`, all by character indices of the whole text."""

    statement: int
    """Where the COPY begins."""
    semicolon: int
    start: int
    """The first character of the first line of data."""
    end: int
    """Behind the line break of the last one; the same as `start` when there is none."""
    after: int
    """Behind the line `\\.`, which ends the data."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """A piece of the text that is not sent as it stands."""

    start: int
    end: int
    text: str
    """What is sent in its place, without semicolon; nothing when this is empty."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of a text that is sent at once."""

    start: int
    end: int
    instead: str | None = None
    """What is sent; None for the text itself."""
    rows: CopyData | None = None
    """The data for it, when it is a COPY."""
