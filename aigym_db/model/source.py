"""Text and its positions in the files it was rendered from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field


def lines_of(text: str, *, keepends: bool = False) -> list[str]:
    """Return the lines of a text, which end with a line feed only, as in `Source.place`.

    `str.splitlines` also ends lines at form feeds, U+0085, U+2028 and others; PostgreSQL and editors do not.
    """
    lines = text.split("\n")
    last = lines.pop()
    ended = [f"{line}\n" for line in lines] if keepends else lines
    return [*ended, last] if last else ended


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file: line and column, both counted from 1, in characters."""

    file: str
    line: int
    column: int
    text: str = ""
    """The whole line, for the caret."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a rendered text: from `start` (a character index) on, it equals `file` from `offset` on."""

    start: int
    file: str
    offset: int
    width: int | None = None
    """The number of equal characters (None: no limit); the computed text after them maps to its end."""


@dataclass(frozen=True, slots=True)
class Source:
    """Text to send to the server, and the files that it was rendered from."""

    file: str
    """Path relative to the project."""
    text: str
    spans: tuple[Span, ...] = ()
    """Sorted by start; empty if the text is the file itself."""
    originals: Mapping[str, str] = field(default_factory=dict)
    """The text of every file that `spans` names."""

    def place(self, index: int) -> Place:
        """Return the place of the character at `index`; for rendered SQL, its place in the template."""
        file, text, index = self.file, self.text, max(0, min(index, len(self.text)))
        if self.spans:
            number = bisect_right(self.spans, index, key=lambda span: span.start) - 1
            span = self.spans[max(number, 0)]
            file, text = span.file, self.originals[span.file]
            distance = max(index - span.start, 0)
            width = distance if span.width is None else span.width
            index = min(span.offset + min(distance, width), len(text))
        start = text.rfind("\n", 0, index) + 1
        end = text.find("\n", index)
        return Place(
            file,
            text.count("\n", 0, index) + 1,
            index - start + 1,
            text[start : end if end >= 0 else len(text)],
        )
