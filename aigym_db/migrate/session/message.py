"""A message to the server: statements of a file between statements of ours, and who wrote which character of
it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from aigym_db.migrate.step import Step
from aigym_db.model.source import Place

_BETWEEN = "\n;\n"
"""A statement may end in a line comment, so the semicolon stands on a line of its own."""


@dataclass(slots=True)
class Message:
    """Statements that are sent as one."""

    _pieces: list[str] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)
    _steps: list[Step | None] = field(default_factory=list)
    _length: int = 0
    bytewise: bool = False
    """Whether the server that it was sent to counts bytes: one whose encoding is SQL_ASCII."""

    @classmethod
    def of(cls, *statements: str | Step) -> Message:
        """A message of these statements."""
        message = Message()
        for statement in statements:
            message.add(statement)
        return message

    def add(self, statement: str | Step) -> None:
        """Adds one statement, without its semicolon."""
        text = statement.sent if isinstance(statement, Step) else statement
        self._pieces.append(text)
        self._starts.append(self._length)
        self._steps.append(statement if isinstance(statement, Step) else None)
        self._length += len(text) + len(_BETWEEN)

    @property
    def text(self) -> str:
        return _BETWEEN.join(self._pieces)

    def __len__(self) -> int:
        return len(self._pieces)

    def statement(self, done: int) -> str:
        """The text that was next after `done` statements; empty behind the last one."""
        return self._pieces[done] if done < len(self._pieces) else ""

    def step(self, done: int) -> Step | None:
        """The file's statement that was next after `done` statements; None when it was one of ours."""
        return self._steps[done] if done < len(self._steps) else None

    def index(self, position: int) -> tuple[Step, int] | None:
        """Where in a step the server's position (characters, from 1) is; None when it is in a statement of
        ours."""
        number = bisect_right(self._starts, position - 1) - 1
        step = self._steps[max(number, 0)]
        if step is None:
            return None
        return step, position - 1 - self._starts[number] if step.instead is None else 0

    def character(self, text: str, position: str) -> int:
        """The server's position in a text it was sent or speaks of, as characters from 1."""
        if not self.bytewise:
            return int(position)
        return len(text.encode()[: int(position) - 1].decode(errors="ignore")) + 1

    def data(self) -> Iterator[bytes] | None:
        """What follows a COPY … FROM stdin; None where the message holds none."""
        return None

    def data_place(self, context: str | None) -> Place | None:
        """Where in its data something is that the server describes as in `COPY t, line 3, column a`."""
        return None
