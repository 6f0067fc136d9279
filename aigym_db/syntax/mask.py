"""A script without what is no SQL, every character of the rest where it was."""

from __future__ import annotations

import re

from aigym_db.syntax.lexer import semicolon
from aigym_db.syntax.non_sql import LONG, exceptions
from aigym_db.syntax.split import stretches

_NO_BREAK = re.compile(r"[^\n]++")


def sql_only(text: str, start: int, end: int, *, to_judge: bool = False) -> str:
    """`text[start:end]` with blanks for all that is no SQL or is not sent; places stay as they are.

    With `to_judge`, for what pg_dump sets, too, which is sent in a form that needs no judgement, and for
    plain rows of a long text but for one INSERT in a million characters: the others are like it, and their
    trees would fill the memory.
    """
    rows, instead = exceptions(text, start, end)
    hidden = [(one.start, one.after) for one in rows]
    hidden += [(one.start, one.end) for one in instead if to_judge or not one.text]
    if to_judge and end - start > LONG:
        runs = (found for found in stretches(text, start, end) if found.kind == "run")
        hidden += [(semicolon(text, found.start, end) + 1, found.end) for found in runs]
    pieces: list[str] = []
    at = start
    for first, last in sorted(hidden):
        pieces += text[at:first], _NO_BREAK.sub(_blanks, text[first:last])
        at = last
    return "".join([*pieces, text[at:end]])


def _blanks(found: re.Match[str]) -> str:
    return " " * (found.end() - found.start())
