"""What every command asks of the text of every migration: where its markers and its exceptions are.

Most files hold no data and were not written by pg_dump. What it takes to read those that do is imported for
them alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from aigym_db.syntax.lexer import covering

if TYPE_CHECKING:
    from aigym_db.model.script import CopyData, Replacement

LONG = 1_000_000
"""From how many characters on a text counts as long."""
HEAD = "-- PostgreSQL database dump\n"
"""The line by which every dump of pg_dump in plain format begins, between two empty comments."""


def outside(text: str) -> Callable[[int], bool]:
    """Tells of a line's beginning whether it is SQL: not in a string, a $$ body, a block comment or data.

    To be asked of rising indexes; where it says yes, a new script begins.
    """
    if len(text) > LONG or "\\." in text:
        from aigym_db.syntax.split import Outside

        return Outside(text)
    at = 0

    def tell(index: int) -> bool:
        nonlocal at
        if index >= at:
            at = covering(text, at, index)
        return at == index

    return tell


def plain(outside: Callable[[int], bool], start: int, end: int) -> Mapping[int, int]:
    """Where in a part of a long text plain statements begin and end, as was seen while looking for it."""
    runs: Mapping[int, int] = getattr(outside, "runs", {})
    return {first: last for first, last in runs.items() if start <= first and last <= end}


def exceptions(text: str, start: int, end: int) -> tuple[tuple[CopyData, ...], tuple[Replacement, ...]]:
    """The data in a part of a migration, and what of it is not sent as it stands."""
    head: int | None = text.find(HEAD, start, end)
    if head is not None and (head < 0 or text[head - 1 : head] not in ("", "\n")):
        head = None
    # One character is found ten times as fast as two.
    if head is None and (text.find("\\", start, end) < 0 or text.find("\n\\", max(start - 1, 0), end) < 0):
        return (), ()
    from aigym_db.syntax.dump import exceptions

    return exceptions(text, start, end, head)
