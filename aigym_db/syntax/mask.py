"""SQL text with everything else masked by blanks, so that indexes stay valid."""

from __future__ import annotations

import re

from aigym_db.syntax.lexer import next_semicolon
from aigym_db.syntax.non_sql import LONG, copy_data_and_replacements
from aigym_db.syntax.split import segments

_NO_BREAK = re.compile(r"[^\n]++")


def sql_only(text: str, start: int, end: int, *, for_checks: bool = False) -> str:
    """Return `text[start:end]` with blanks in place of COPY data, psql commands and text that is not sent.

    With `for_checks`, also mask the settings of pg_dump, which are replaced before they are sent, and, in a
    long text, every plain statement except one per run (a million characters): their parse trees would fill
    the memory.
    """
    rows, instead = copy_data_and_replacements(text, start, end)
    hidden = [(data.start, data.after) for data in rows]
    hidden += [(item.start, item.end) for item in instead if for_checks or not item.text]
    if for_checks and end - start > LONG:
        runs = (segment for segment in segments(text, start, end) if segment.kind == "run")
        hidden += [(next_semicolon(text, run.start, end) + 1, run.end) for run in runs]
    pieces: list[str] = []
    position = start
    for first, last in sorted(hidden):
        pieces += text[position:first], _NO_BREAK.sub(_blanks, text[first:last])
        position = last
    return "".join([*pieces, text[position:end]])


def _blanks(line: re.Match[str]) -> str:
    return " " * (line.end() - line.start())
