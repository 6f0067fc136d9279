"""A message to the server: statements of a file between statements of ours, and who wrote which character of
it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from aigym_db.migrate.preflight import Step

_BETWEEN = "\n;\n"
"""A statement may end in a line comment, so the semicolon stands on a line of its own."""


@dataclass(slots=True)
class Message:
    """Statements that are sent as one."""

    _pieces: list[str] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)
    _steps: list[Step | None] = field(default_factory=list)
    _length: int = 0

    def add(self, statement: str | Step) -> None:
        """Adds one statement, without its semicolon."""
        text = statement.text if isinstance(statement, Step) else statement
        self._pieces.append(text)
        self._starts.append(self._length)
        self._steps.append(statement if isinstance(statement, Step) else None)
        self._length += len(text) + len(_BETWEEN)

    @property
    def text(self) -> str:
        return _BETWEEN.join(self._pieces)

    def __len__(self) -> int:
        return len(self._pieces)

    def step(self, done: int) -> Step | None:
        """The file's statement that was next after `done` statements; None when it was one of ours."""
        return self._steps[done] if done < len(self._steps) else None

    def index(self, position: int) -> tuple[Step, int] | None:
        """Where in a step the server's position (characters, from 1) is; None when it is in a statement of
        ours."""
        number = bisect_right(self._starts, position - 1) - 1
        step = self._steps[max(number, 0)]
        return None if step is None else (step, position - 1 - self._starts[number])
