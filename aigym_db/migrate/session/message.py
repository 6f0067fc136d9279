"""A message to the server: a file's statements between the migrator's own, with the origin of each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from aigym_db.migrate.step import Step
from aigym_db.model.source import Place

_BETWEEN = "\n;\n"
"""The separator of two statements: the first may end in a line comment, so the semicolon has its own line."""


@dataclass(slots=True)
class Message:
    """Statements that are sent together in one query message."""

    _pieces: list[str] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)
    _steps: list[Step | None] = field(default_factory=list)
    _length: int = 0
    _bytewise: bool = False

    @classmethod
    def of(cls, *statements: str | Step) -> Message:
        """Return a message of these statements."""
        message = Message()
        for statement in statements:
            message.add(statement)
        return message

    def add(self, statement: str | Step) -> None:
        """Append one statement, without its semicolon: a `Step` of the file, or SQL of the migrator."""
        text = statement.sent if isinstance(statement, Step) else statement
        self._pieces.append(text)
        self._starts.append(self._length)
        self._steps.append(statement if isinstance(statement, Step) else None)
        self._length += len(text) + len(_BETWEEN)

    @property
    def text(self) -> str:
        """The statements as they are sent, separated by semicolons."""
        return _BETWEEN.join(self._pieces)

    def __len__(self) -> int:
        return len(self._pieces)

    def statement(self, done: int) -> str:
        """Return the text of the statement that follows `done` others; empty after the last one."""
        return self._pieces[done] if done < len(self._pieces) else ""

    def step(self, done: int) -> Step | None:
        """Return the file's statement that follows `done` others; None if it is one of the migrator's own."""
        return self._steps[done] if done < len(self._steps) else None

    def step_at(self, position: int) -> tuple[Step, int] | None:
        """Return the statement of the migration file at an error position, and the offset in that statement.

        `position` counts the characters of the message from 1. Return None if it is in a statement that does
        not come from the file.
        """
        number = bisect_right(self._starts, position - 1) - 1
        step = self._steps[max(number, 0)]
        if step is None:
            return None
        return step, position - 1 - self._starts[number] if step.instead is None else 0

    def set_position_unit(self, *, bytewise: bool) -> None:
        """Set whether the server counts error positions in bytes, as with the encoding SQL_ASCII."""
        self._bytewise = bytewise

    def character(self, text: str, position: str) -> int:
        """Return a position in `text` that the server reported, in characters from 1."""
        if not self._bytewise:
            return int(position)
        return len(text.encode()[: int(position) - 1].decode(errors="ignore")) + 1

    def data(self) -> Iterator[bytes] | None:
        """Return the data of a COPY … FROM stdin; None if the message contains none."""
        return None

    def data_place(self, context: str | None) -> Place | None:
        """Return the place in the data to which a context such as `COPY t, line 3, column a` refers."""
        return None
