"""Split a script as psql reads it: statements, COPY data and psql commands.

The lines after `COPY … FROM stdin;` are data, whatever they contain. Every module that reads the text of a
migration (markers, splitting, lint, execution) uses this module to find which part of it is SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from aigym_db.model.script import CopyData
from aigym_db.syntax.lexer import (
    LINE_COMMENT,
    SPACE,
    STATEMENT,
    WORD,
    item_end,
    next_semicolon,
    quoted_item_end,
)

RUN = 1_000_000
"""Maximum length, in characters, of a segment of several plain statements."""

_BLANK = re.compile(rf"(?:(?:{SPACE}|;)++|{LINE_COMMENT})*+")
# These statements contain no other statements, do not end the transaction and leave no session state.
_RUN = re.compile(
    rf"(?:{SPACE}*+(?:{LINE_COMMENT}[\n\r]{SPACE}*+)*+"
    rf"(?i:insert|update|delete|comment|grant|revoke)\b{STATEMENT};)*+",
    re.VERBOSE | re.DOTALL,
)
_REST_OF_LINE = re.compile(rf"[ \t]*+(?:{LINE_COMMENT})?(?:\n|\Z)")
_TOKEN = re.compile(rf"['\"$/-]|[();]|{WORD}")

_NONE: Mapping[int, int] = {}

Kind = Literal["statement", "run", "copy", "command"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A statement, a run of plain statements, a COPY with its data, or a psql command (a line)."""

    kind: Kind
    start: int
    end: int
    """The index after the last character. The semicolon of a single statement is not included."""
    rows: CopyData | None = None

    @property
    def after(self) -> int:
        """The index after the segment, including the line `\\.` after COPY data."""
        return self.rows.after if self.rows else self.end


def segments(text: str, start: int, end: int, runs: Mapping[int, int] = _NONE) -> Iterator[Segment]:
    """Split `text[start:end]` into segments, in order. `start` must not be quoted.

    A COPY whose data is not terminated is returned as a statement. `runs` maps known starts of runs to their
    ends.
    """
    position = start
    while (position := _skip_blanks(text, position, end)) < end:
        if text[position] == "\\":
            line = text.find("\n", position, end)
            yield Segment("command", position, end if line < 0 else line)
            position = end if line < 0 else line
            continue
        known = runs.get(position)
        run = _RUN.match(text, position, min(end, position + RUN)) if known is None else None
        run_end = known or (run.end() if run else position)
        if run_end > position:
            yield Segment("run", position, run_end)
            position = run_end
            continue
        stop = _statement_end(text, position, end)
        rows = _copy_data(text, position, stop) if stop < end else None
        segment = Segment("copy" if rows else "statement", position, stop, rows)
        yield segment
        position = max(segment.after, stop + 1)


def statements(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Return start and end of every single statement of `text[start:end]`; runs are split, data is left out.

    The split needs no valid SQL: a quoted item that is not terminated extends to the end of the text.
    """
    for segment in segments(text, start, end):
        position, stop = segment.start, segment.end
        while segment.kind == "run" and position < stop:
            last = next_semicolon(text, position, stop)
            yield position, last
            position = _skip_blanks(text, last, stop)
        if segment.kind != "run":
            yield position, stop


class UnquotedLines:
    """Report which lines of a text are SQL: not inside a quoted item and not COPY data.

    Used for texts that are long or may contain data; see `non_sql.unquoted_lines`.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.runs: dict[int, int] = {}
        """Starts and ends of runs of plain statements, as far as the text has been read."""
        self._at = self._hidden = 0

    def __call__(self, index: int) -> bool:
        if index < self._hidden:
            return False
        begin = self._at
        for segment in segments(self.text, begin, index):
            if segment.after > index:
                self._at = self._hidden = segment.after
                return False
            if segment.kind == "run":
                self.runs[segment.start] = segment.end
            if segment.end < index:
                begin = segment.after
        self._hidden = quoted_item_end(self.text, begin, index)
        self._at = index if self._hidden == index else begin
        return self._hidden == index


def unterminated_copy(text: str, start: int, end: int) -> int | None:
    """Return the start of the first COPY FROM stdin whose data is missing or not terminated, or None."""
    for segment in segments(text, start, end):
        if segment.kind == "statement" and _copies_from_stdin(text, segment.start, segment.end):
            return segment.start
    return None


def _skip_blanks(text: str, position: int, end: int) -> int:
    while True:
        blank = _BLANK.match(text, position, end)
        position = blank.end() if blank else position
        if not text.startswith("/*", position, end):
            return position
        position = min(item_end(text, position), end)


def _tokens(text: str, start: int, end: int) -> Iterator[tuple[str, int]]:
    """Return words (in lower case), parentheses, semicolons and first characters of quoted items.

    Comments, numbers and operators are left out, except `-`, `/` and `$`.
    """
    position = start
    while (match := _TOKEN.search(text, position, end)) is not None:
        position, token = match.end(), match[0]
        if token in "'\"$/-":
            position = min(item_end(text, match.start()), end)
            if text.startswith(("--", "/*"), match.start()):
                continue
        yield token.lower(), match.start()


def _statement_end(text: str, start: int, end: int) -> int:
    """Return the index of the semicolon that ends the statement, or `end`."""
    stop = next_semicolon(text, start, end)
    if stop == end or text[start : start + 6].lower() != "create":
        return stop
    head = [word for word, _ in islice(_tokens(text, start, stop), 4)]
    rule = head[1:2] == ["rule"] or head[1:4] == ["or", "replace", "rule"]
    if not rule and "atomic" not in text[start:stop].lower():
        return stop
    return _compound_end(text, start, end, rule=rule)


def _compound_end(text: str, start: int, end: int, *, rule: bool) -> int:
    """Return the end of CREATE RULE … DO (…; …) or of a function with BEGIN ATOMIC … END.

    The END of a block follows a semicolon or ATOMIC; the END of a CASE, or `end` as a column label, never
    does.
    """
    block, depth, before = False, 0, ""
    for token, index in _tokens(text, start, end):
        if token == "atomic" and before == "begin" and not rule:
            block = True
        elif token == "end" and block and before in (";", "atomic"):
            block = False
        elif token in "()":
            depth = max(depth + (1 if token == "(" else -1), 0)
        elif token == ";" and not block and not (rule and depth):
            return index
        before = token
    return end


def _copies_from_stdin(text: str, start: int, stop: int) -> bool:
    if text[start : start + 4].lower() != "copy":
        return False
    depth, before = 0, ""
    for number, (token, _) in enumerate(_tokens(text, start, stop)):
        if (number == 0 and token != "copy") or (number == 1 and token == "("):
            return False
        if token in ("(", ")"):
            depth += 1 if token == "(" else -1
        elif depth == 0 and before == "from" and token in ("stdin", "stdout"):
            return True
        before = token
    return False


def _copy_data(text: str, start: int, stop: int) -> CopyData | None:
    if not _copies_from_stdin(text, start, stop):
        return None
    line = _REST_OF_LINE.match(text, stop + 1)
    if line is None:
        return None
    first = line.end()
    if text.startswith("\\.", first) and text[first + 2 : first + 3] in ("", "\n"):
        return CopyData(start, stop, first, first, min(first + 3, len(text)))
    last = text.find("\n\\.\n", first)
    if last < 0 and text.endswith("\n\\."):
        last = len(text) - 3
    return None if last < first else CopyData(start, stop, first, last + 1, min(last + 4, len(text)))
