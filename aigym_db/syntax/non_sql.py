"""Unquoted lines of a script, COPY data, and text that is not sent as written.

Every command calls these functions for every migration. Most files contain no data and were not written by
pg_dump; the code for those that do is imported only for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from aigym_db.syntax.lexer import quoted_item_end

if TYPE_CHECKING:
    from aigym_db.model.script import CopyData, Replacement

LONG = 1_000_000
"""Number of characters above which a text counts as long."""
HEAD = "-- PostgreSQL database dump\n"
"""The line at the start of every plain-format dump, between two empty comments."""


def unquoted_lines(text: str) -> Callable[[int], bool]:
    """Return a function that reports whether the line starting at an index is SQL.

    A line inside a string, a dollar-quoted body, a block comment or COPY data is not. The function must be
    called with increasing indexes; text after an index for which it returned True is read as a new script.
    """
    if len(text) > LONG or "\\." in text:
        from aigym_db.syntax.split import UnquotedLines

        return UnquotedLines(text)
    position = 0

    def is_unquoted(index: int) -> bool:
        nonlocal position
        if index >= position:
            position = quoted_item_end(text, position, index)
        return position == index

    return is_unquoted


def known_runs(is_unquoted: Callable[[int], bool], start: int, end: int) -> Mapping[int, int]:
    """Return start and end of the runs of plain statements that `is_unquoted` has found in `start:end`.

    `is_unquoted` is a function returned by `unquoted_lines`; for short texts it finds none.
    """
    runs: Mapping[int, int] = getattr(is_unquoted, "runs", {})
    return {first: last for first, last in runs.items() if start <= first and last <= end}


def copy_data_and_replacements(
    text: str, start: int, end: int
) -> tuple[tuple[CopyData, ...], tuple[Replacement, ...]]:
    """Return the COPY data of `text[start:end]`, and the replacements of text that is not sent as written.

    Both are in order; the latter are psql commands and settings in files of pg_dump.
    """
    head: int | None = text.find(HEAD, start, end)
    if head is not None and (head < 0 or text[head - 1 : head] not in ("", "\n")):
        head = None
    # Searching for one character is ten times as fast as for two.
    if head is None and (text.find("\\", start, end) < 0 or text.find("\n\\", max(start - 1, 0), end) < 0):
        return (), ()
    from aigym_db.syntax.dump import copy_data_and_replacements

    return copy_data_and_replacements(text, start, end, head)
