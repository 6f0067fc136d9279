"""The chunks of a long file: consecutive statements, or one COPY with its data, sent as one message."""

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
"""Approximate size of a chunk, in characters: the server keeps a message and its parse trees in memory."""
DATA_SIZE = 250_000
"""Number of characters of COPY data sent at once."""
_COLUMNS = re.compile(r"\((.*)\)\s*from\b", re.IGNORECASE | re.DOTALL)
_OTHER_FORMAT = re.compile(r"\bfrom\s+stdin\b.*\w", re.IGNORECASE | re.DOTALL)
_AT_COLUMN = re.compile(r"\W+\w+ (?P<line>\d+)(?:\W+\w+ (?P<column>[^:]+?))?\s*(?::.*)?")


class Chunk(Message):
    """Consecutive statements of a file, or one COPY."""

    def __init__(self, source: Source, piece: Piece, *, plain: bool = False) -> None:
        super().__init__()
        self.source = source
        self.piece = piece
        self.plain = plain
        """True if it contains only COPY data and plain statements (see `syntax.non_sql`)."""

    @property
    def text(self) -> str:
        """The SQL that is sent; for a COPY without its data."""
        return self._step.sent

    def __len__(self) -> int:
        return 1

    def step(self, done: int) -> Step | None:
        """Return the statement that follows `done` others."""
        from aigym_db.syntax.parse import split_sql

        start = self.piece.start
        if self.piece.instead is not None or self.piece.rows is not None:
            return self._step
        slices = split_sql(self.text, with_parser=False)
        if done >= len(slices):
            return self._step
        return Step(self.source, start + slices[done].start, start + slices[done].stop)

    def step_at(self, position: int) -> tuple[Step, int] | None:
        return self._step, position - 1 if self.piece.instead is None else 0

    def data(self) -> Iterator[bytes]:
        rows = self.piece.rows
        for start in range(rows.start, rows.end, DATA_SIZE) if rows else ():
            yield self.source.text[start : min(start + DATA_SIZE, rows.end if rows else 0)].encode()

    def data_place(self, context: str | None) -> Place | None:
        rows = self.piece.rows
        for context_line in lines_of(context or "") if rows else ():
            # The server translates the words; the prefix `COPY <table>` is the same in every language.
            position = re.match(r"COPY (.+?)" + _AT_COLUMN.pattern + r"\Z", context_line)
            if position and rows:
                return self._place(rows, int(position["line"]), position["column"])
        return None

    @property
    def _step(self) -> Step:
        return Step(self.source, self.piece.start, self.piece.end, instead=self.piece.instead)

    def _place(self, rows: CopyData, line: int, column: str | None) -> Place:
        text, offset = self.source.text, rows.start
        for _ in range(line - 1):
            newline = text.find("\n", offset, rows.end)
            if newline < 0:
                break
            offset = newline + 1
        names = None if _OTHER_FORMAT.search(self.text) else _COLUMNS.search(self.text)
        columns = (
            [name.strip().strip('"').replace('""', '"') for name in names[1].split(",")] if names else []
        )
        if column in columns:
            values = text[offset : text.find("\n", offset)].split("\t")[: columns.index(column)]
            offset += sum(len(value) + 1 for value in values)
        return self.source.place(offset)


class IfNotExistsCheck(Chunk):
    """The check that follows a CREATE INDEX IF NOT EXISTS."""

    def __init__(self, source: Source, piece: Piece, check: str) -> None:
        super().__init__(source, piece)
        self.check = check

    @property
    def text(self) -> str:
        return self.check

    def step(self, done: int) -> Step | None:
        """Return the statement that is checked."""
        return self._step

    def step_at(self, position: int) -> tuple[Step, int] | None:
        return None


def chunks(part: Part, connection: Connection[Any]) -> Iterator[Chunk]:
    """The messages in which a part is sent, in order; each contains complete statements."""
    text = part.source.text
    for piece in part.pieces():
        if piece.rows is not None or piece.instead is not None:
            yield Chunk(part.source, piece, plain=True)
            continue
        start, end, plain = None, piece.start, True
        for segment in segments(text, piece.start, piece.end, part.runs):
            if start is not None and segment.end - start > SIZE:
                yield Chunk(part.source, Piece(start, end), plain=plain)
                start = None
            start, plain = (segment.start, True) if start is None else (start, plain)
            end, plain = segment.end, plain and segment.kind == "run"
            statement = text[segment.start : segment.end] if segment.kind == "statement" else None
            check = guard(connection, statement) if statement is not None else None
            if check is not None:
                yield Chunk(part.source, Piece(start, end))
                yield IfNotExistsCheck(part.source, Piece(segment.start, segment.end), check)
                start = None
        if start is not None:
            yield Chunk(part.source, Piece(start, end), plain=plain)
