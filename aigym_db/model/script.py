"""The pieces of a migration's text: SQL, COPY data, and pieces that are sent with another text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CopyData:
    """The data lines of a `COPY … FROM stdin`, as character indices of the whole text."""

    statement: int
    """The first character of the COPY."""
    semicolon: int
    start: int
    """The first character of the first line of data."""
    end: int
    """The index after the line break of the last line; equal to `start` if there is no data."""
    after: int
    """The index after the line `\\.`, which ends the data."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """A piece of the text that is sent with another text."""

    start: int
    end: int
    text: str
    """The text to send, without semicolon; empty to send nothing."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text that is sent in one message."""

    start: int
    end: int
    instead: str | None = None
    """The text to send; None for the original text."""
    rows: CopyData | None = None
    """Its data if it is a COPY."""
