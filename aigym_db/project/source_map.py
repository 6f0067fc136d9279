"""Invisible marks that map each piece of a rendered text to its template and offset.

Marks are inserted into the constant text of compiled templates, after Jinja has removed white space, and
removed from the result. A mark precedes the first non-blank character of a line and each expression, so
`trim` and `indent` do not affect it.
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
"""The white space before the first non-blank character of a line."""


@dataclass(slots=True)
class Marks:
    """The marks in use: each encodes a file, an offset in it and a width, both in characters."""

    texts: dict[str, str] = field(default_factory=dict)
    """The text of each template, as Jinja reads it, by its path relative to the project."""
    given: list[tuple[str, int, int]] = field(default_factory=list)

    def mark(self, file: str, offset: int, width: int) -> str:
        """Return a new mark of two characters."""
        number = len(self.given)
        self.given.append((file, offset, width))
        return chr(_FIRST + number // _COUNT) + chr(_FIRST + number % _COUNT)

    def read(self, marked: str) -> tuple[str, list[Span]]:
        """Return a rendered text without its marks, and the spans that the marks encode."""
        pieces: list[str] = []
        spans: list[Span] = []
        length = end = 0
        for match in _MARK.finditer(marked):
            pieces.append(marked[end : match.start()])
            length, end = length + match.start() - end, match.end()
            number = (ord(match[1]) - _FIRST) * _COUNT + ord(match[2]) - _FIRST
            if spans and spans[-1].start == length:
                spans.pop()
            spans.append(Span(length, *self.given[number]))
        pieces.append(marked[end:])
        return "".join(pieces), spans


class Marking(Extension):
    """Inserts marks into the constant text of every template that the environment compiles.

    The environment has been extended by `marks` before.
    """

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.marks: Marks = environment.marks  # type: ignore[attr-defined]

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        """Yield the tokens of a template with marks in its constant text. Called by Jinja."""
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
        """Yield the offset of each piece of constant text and each expression of a template."""
        text, position = self.marks.texts[file], 0
        for _, kind, value in self.environment.lexer.tokeniter(text, None, file):
            # Only white space removed by `-` or lstrip_blocks lies between two tokens.
            position = text.index(value, position)
            if kind in ("data", "variable_begin"):
                yield position
            position += len(value)

    def _marked(self, file: str, start: int, value: str) -> str:
        ends = [match.end() for match in _VISIBLE.finditer(value)]
        pieces = [value[: ends[0]] if ends else value]
        for first, next_one in pairwise([*ends, len(value)]):
            pieces += self.marks.mark(file, start + first, next_one - first), value[first:next_one]
        return "".join(pieces)


def spans_by_line(file: str, template: str, rendered: str) -> tuple[Span, ...]:
    """Return the spans that map a rendered text to its template, found by comparing their lines.

    A span per block of equal lines; the lines between them belong to the block before. Used for templates
    that render differently with marks.
    """
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
