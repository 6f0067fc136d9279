"""A stretch of a long file that is sent as it stands, with the data behind it when it is a COPY."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from psycopg import Connection

from aigym_db.migrate.session.message import Message
from aigym_db.migrate.step import Step
from aigym_db.migrate.transactional.if_not_exists import guard
from aigym_db.model.migration import Part
from aigym_db.model.script import CopyData, Piece
from aigym_db.model.source import Place, Source, lines_of
from aigym_db.syntax.split import segments

SIZE = 1_000_000
"""About how many characters are sent at once: the server keeps a message and all its trees in memory."""
DATA_SIZE = 250_000
_COLUMNS = re.compile(r"\((.*)\)\s*from\b", re.IGNORECASE | re.DOTALL)
_OTHER_FORMAT = re.compile(r"\bfrom\s+stdin\b.*\w", re.IGNORECASE | re.DOTALL)
_AT_COLUMN = re.compile(r"\W+\w+ (?P<line>\d+)(?:\W+\w+ (?P<column>[^:]+?))?\s*(?::.*)?")


class Bulk(Message):
    """Any number of statements of a file, or one COPY."""

    def __init__(self, source: Source, piece: Piece, *, plain: bool = False) -> None:
        super().__init__()
        self.source = source
        self.piece = piece
        self.plain = plain
        """Whether it holds nothing but rows and words about objects."""

    @property
    def text(self) -> str:
        return self._step.sent

    def __len__(self) -> int:
        return 1

    def step(self, done: int) -> Step | None:
        """The statement that was next after `done` statements."""
        from aigym_db.syntax.parse import split_sql

        start = self.piece.start
        if self.piece.instead is not None or self.piece.rows is not None:
            return self._step
        slices = split_sql(self.text, with_parser=False)
        if done >= len(slices):
            return self._step
        return Step(self.source, start + slices[done].start, start + slices[done].stop)

    def index(self, position: int) -> tuple[Step, int] | None:
        return self._step, position - 1 if self.piece.instead is None else 0

    def data(self) -> Iterator[bytes]:
        rows = self.piece.rows
        for at in range(rows.start, rows.end, DATA_SIZE) if rows else ():
            yield self.source.text[at : min(at + DATA_SIZE, rows.end if rows else 0)].encode()

    def data_place(self, context: str | None) -> Place | None:
        rows = self.piece.rows
        for said in lines_of(context or "") if rows else ():
            # The words are the server's language; the name in front of them is ours.
            found = re.match(r"COPY (.+?)" + _AT_COLUMN.pattern + r"\Z", said)
            if found and rows:
                return self._place(rows, int(found["line"]), found["column"])
        return None

    @property
    def _step(self) -> Step:
        return Step(self.source, self.piece.start, self.piece.end, instead=self.piece.instead)

    def _place(self, rows: CopyData, line: int, column: str | None) -> Place:
        text, at = self.source.text, rows.start
        for _ in range(line - 1):
            following = text.find("\n", at, rows.end)
            if following < 0:
                break
            at = following + 1
        names = None if _OTHER_FORMAT.search(self.text) else _COLUMNS.search(self.text)
        columns = (
            [name.strip().strip('"').replace('""', '"') for name in names[1].split(",")] if names else []
        )
        if column in columns:
            values = text[at : text.find("\n", at)].split("\t")[: columns.index(column)]
            at += sum(len(value) + 1 for value in values)
        return self.source.place(at)


class Guarded(Bulk):
    """What is asked behind a statement that PostgreSQL skips when a name is taken."""

    def __init__(self, source: Source, piece: Piece, check: str) -> None:
        super().__init__(source, piece)
        self.check = check

    @property
    def text(self) -> str:
        return self.check

    def step(self, done: int) -> Step | None:
        """The statement it is asked of."""
        return self._step

    def index(self, position: int) -> tuple[Step, int] | None:
        return None


def bulks(part: Part, connection: Connection[Any]) -> Iterator[Bulk]:
    """A part in the messages it is sent in over a connection, in order, each of them whole statements."""
    text = part.source.text
    for piece in part.pieces():
        if piece.rows is not None or piece.instead is not None:
            yield Bulk(part.source, piece, plain=True)
            continue
        start, end, plain = None, piece.start, True
        for found in segments(text, piece.start, piece.end, part.runs):
            if start is not None and found.end - start > SIZE:
                yield Bulk(part.source, Piece(start, end), plain=plain)
                start = None
            start, plain = (found.start, True) if start is None else (start, plain)
            end, plain = found.end, plain and found.kind == "run"
            check = guard(connection, text[found.start : found.end]) if found.kind == "statement" else None
            if check is not None:
                yield Bulk(part.source, Piece(start, end))
                yield Guarded(part.source, Piece(found.start, found.end), check)
                start = None
        if start is not None:
            yield Bulk(part.source, Piece(start, end), plain=plain)
