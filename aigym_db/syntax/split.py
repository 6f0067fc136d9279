"""A script as psql reads it: statements, the data behind a COPY, and lines for psql itself.

Data behind `COPY … FROM stdin` is no SQL, whatever it looks like. All who read the text of a migration learn
from here which part of it is SQL: whoever looks for markers, splits, lints or sends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from aigym_db.model.script import CopyData
from aigym_db.syntax.lexer import STATEMENT, closing, covering, semicolon

RUN = 1_000_000
"""How many characters of plain statements are read as one, at most."""

_BLANK = re.compile(r"(?:[\s;]++|--[^\n]*+)*+")
# Nothing in them can be a statement within a statement, end the transaction or outlive it.
_RUN = re.compile(
    rf"(?:\s*+(?:--[^\n]*+\s++)*+(?i:insert|update|delete|comment|grant|revoke)\b{STATEMENT};)*+",
    re.VERBOSE | re.DOTALL,
)
_GAP = r"(?:\s++|--[^\n]*+\n|/\*(?:[^*/]++|\*(?!/)|/(?!\*))*+\*/)*+"
_NAME = r'(?:"(?:[^"]|"")*+"|(?:[A-Za-z_]|[^\x00-\x7f])(?:[A-Za-z0-9_$]|[^\x00-\x7f])*+)'
_COPY = re.compile(
    rf"copy\b{_GAP}(?:binary\b{_GAP})?{_NAME}(?:{_GAP}\.{_GAP}{_NAME})*+{_GAP}"
    rf"(?:\((?:[^()\"]++|\"[^\"]*+\")*+\){_GAP})?from\b{_GAP}(?:stdin|stdout)\b",
    re.IGNORECASE,
)
_REST_OF_LINE = re.compile(r"[ \t]*+(?:--[^\n]*+)?(?:\n|\Z)")
_NESTS = re.compile(r"create\s+(?:or\s+replace\s+)?rule\b|.*?\batomic\b", re.IGNORECASE | re.DOTALL)
_NESTED = re.compile(r"['\"$/-]|[();]|\b(?:begin\s+atomic|case|end)\b", re.IGNORECASE)

_NONE: Mapping[int, int] = {}

Kind = Literal["statement", "run", "copy", "command"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A statement, several plain ones, a COPY with its data, or a line that begins with a backslash."""

    kind: Kind
    start: int
    end: int
    """Where its last character is; the semicolon is not part of a single statement."""
    rows: CopyData | None = None

    @property
    def after(self) -> int:
        return self.rows.after if self.rows else self.end


def stretches(text: str, start: int, end: int, runs: Mapping[int, int] = _NONE) -> Iterator[Stretch]:
    """What `text[start:end]` consists of, in order; `start` is where SQL begins.

    A COPY whose data never ends is a statement like others. `runs` are where plain statements are known to
    begin and end.
    """
    at = start
    while (at := _blank(text, at, end)) < end:
        if text[at] == "\\":
            line = text.find("\n", at, end)
            yield Stretch("command", at, end if line < 0 else line)
            at = end if line < 0 else line
            continue
        known = runs.get(at)
        run = _RUN.match(text, at, min(end, at + RUN)) if known is None else None
        plain = known or (run.end() if run else at)
        if plain > at:
            yield Stretch("run", at, plain)
            at = plain
            continue
        stop = _stop(text, at, end)
        rows = _rows(text, at, stop) if stop < end else None
        found = Stretch("copy" if rows else "statement", at, stop, rows)
        yield found
        at = max(found.after, stop + 1)


class Outside:
    """What `project.reading.outside` says of a text that is long or may hold data."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.runs: dict[int, int] = {}
        """Where plain statements begin and end, as far as was asked."""
        self._at = self._hidden = 0

    def __call__(self, index: int) -> bool:
        if index < self._hidden:
            return False
        begin = self._at
        for found in stretches(self.text, begin, index):
            if found.after > index:
                self._at = self._hidden = found.after
                return False
            if found.kind == "run":
                self.runs[found.start] = found.end
            if found.end < index:
                begin = found.after
        self._hidden = covering(self.text, begin, index)
        self._at = index if self._hidden == index else begin
        return self._hidden == index


def endless(text: str, start: int, end: int) -> int | None:
    """Where a COPY begins that takes data, and the data never ends; None when there is none."""
    for found in stretches(text, start, end):
        if found.kind == "statement" and _takes_data(text, found.start, found.end):
            return found.start
    return None


def _blank(text: str, at: int, end: int) -> int:
    while True:
        found = _BLANK.match(text, at, end)
        at = found.end() if found else at
        if not text.startswith("/*", at, end):
            return at
        at = min(closing(text, at), end)


def _stop(text: str, start: int, end: int) -> int:
    stop = semicolon(text, start, end)
    if text[start : start + 6].lower() == "create" and _NESTS.match(text, start, stop):
        return _nested(text, start, end)
    return stop


def _nested(text: str, start: int, end: int) -> int:
    """The end of a statement that may hold others, in BEGIN ATOMIC … END or in the parentheses of a rule."""
    at, blocks, parentheses = start, 0, 0
    while (found := _NESTED.search(text, at, end)) is not None:
        at, what = found.end(), found[0].lower()
        if what in "'\"$/-":
            at = min(closing(text, found.start()), end)
        elif what in "()":
            parentheses += 1 if what == "(" else -1
        elif what == ";":
            if not blocks and parentheses <= 0:
                return found.start()
        elif what != "case" or blocks:
            blocks += -1 if what == "end" else 1
    return end


def _takes_data(text: str, start: int, stop: int) -> bool:
    return text[start : start + 4].lower() == "copy" and _COPY.match(text, start, stop) is not None


def _rows(text: str, start: int, stop: int) -> CopyData | None:
    if not _takes_data(text, start, stop):
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
