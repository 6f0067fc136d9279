"""Invisible marks that tell of each piece of a rendered text where in which template it stands.

Rendering puts them into the constant text of the compiled templates, after Jinja has settled what white space
goes, and takes them out of the result. A mark stands in front of the first character of a line that is not
blank, and in front of each expression, so `trim` and `indent` do not see it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from jinja2 import Environment
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

from aigym_db.model.source import Span, lines_of
from aigym_db.project.templates import MARKS

_FIRST, _COUNT = MARKS[0], MARKS[1] - MARKS[0] + 1
_MARK = re.compile(f"([{chr(MARKS[0])}-{chr(MARKS[1])}])([{chr(MARKS[0])}-{chr(MARKS[1])}])")
_VISIBLE = re.compile(r"(?:\A|\n)[ \t]*(?=\S)")
"""Up to the first character of a line that is not blank."""


@dataclass(slots=True)
class Marks:
    """The marks given so far: each stands for a file, an offset in it and a width."""

    texts: dict[str, str] = field(default_factory=dict)
    """The text of each template by the file it is shown as, as Jinja reads it."""
    given: list[tuple[str, int, int]] = field(default_factory=list)

    def mark(self, file: str, offset: int, width: int) -> str:
        """A new mark, two characters long."""
        number = len(self.given)
        self.given.append((file, offset, width))
        return chr(_FIRST + number // _COUNT) + chr(_FIRST + number % _COUNT)

    def read(self, marked: str) -> tuple[str, list[Span]]:
        """A rendered text without its marks, and what they said."""
        pieces: list[str] = []
        spans: list[Span] = []
        length = end = 0
        for found in _MARK.finditer(marked):
            pieces.append(marked[end : found.start()])
            length, end = length + found.start() - end, found.end()
            number = (ord(found[1]) - _FIRST) * _COUNT + ord(found[2]) - _FIRST
            if spans and spans[-1].start == length:
                spans.pop()
            spans.append(Span(length, *self.given[number]))
        pieces.append(marked[end:])
        return "".join(pieces), spans


class Marking(Extension):
    """Puts marks into the constant text of every template the environment compiles."""

    marks: Marks

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.marks = Marks()

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        file = stream.filename or ""
        starts = self._starts(file)
        kind = value = ""
        for token in stream:
            if token.type == "data":
                value, kind = token.value, "data"
                yield Token(token.lineno, "data", self._marked(file, next(starts), value))
                continue
            if token.type == "variable_begin":
                start = next(starts)
                if kind != "data" or not value.strip():
                    yield Token(token.lineno, "data", self.marks.mark(file, start, 0))
            kind = token.type
            yield token

    def _starts(self, file: str) -> Iterator[int]:
        """Where each piece of constant text and each expression of a template starts."""
        text, position = self.marks.texts[file], 0
        for _, kind, value in self.environment.lexer.tokeniter(text, None, file):
            # Only white space that `-` or lstrip_blocks took away lies between one token and the next.
            position = text.index(value, position)
            if kind in ("data", "variable_begin"):
                yield position
            position += len(value)

    def _marked(self, file: str, start: int, value: str) -> str:
        ends = [found.end() for found in _VISIBLE.finditer(value)]
        pieces = [value[: ends[0]] if ends else value]
        for first, next_one in pairwise([*ends, len(value)]):
            pieces += self.marks.mark(file, start + first, next_one - first), value[first:next_one]
        return "".join(pieces)


def spans_by_line(file: str, template: str, rendered: str) -> tuple[Span, ...]:
    """Spans found by comparing lines, for a text whose marks got in the way of its rendering."""
    before, after = lines_of(template, keepends=True), lines_of(rendered, keepends=True)
    offsets, starts = _line_starts(before), _line_starts(after)
    spans = [Span(0, file, 0, 0)]
    for block in difflib.SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks():
        if block.size:
            width = offsets[block.a + block.size] - offsets[block.a]
            spans.append(Span(starts[block.b], file, offsets[block.a], width))
    return tuple(spans)


def _line_starts(lines: list[str]) -> list[int]:
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    return starts
