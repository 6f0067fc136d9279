"""The progress of a run: one line per committed migration, and a progress bar on a terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from aigym_db.migrate.observer import Finished, Notice, Observer, Waiting
from aigym_db.migrate.observer import Progress as Headway
from aigym_db.model.migration import Direction, Migration, Plan
from aigym_db.model.source import lines_of
from aigym_db.report import console
from aigym_db.report.result import Report

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

DONE: Mapping[Direction, Literal["applied", "rolled back"]] = {"up": "applied", "down": "rolled back"}
"""The result of a migration that was executed in this direction, as text."""
_WORDS = {
    "runner": "waiting for another aigym-db run",
    "orphan": "waiting for the server to end the session of a killed run",
    "lock": "waiting for a lock",
    "retry": "lock timeout; retrying",
    "transactions": "waiting for older transactions",
    "standby": "waiting for replication lag to decrease",
    "server": "waiting for the server to accept connections",
}
_REPEAT_S = 5.0
"""Seconds between two lines about the same wait."""


class Watching(Observer, AbstractContextManager["Watching"]):
    """Print the events of a run to the report's prose stream. A context manager around the run."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.finished_all: dict[int, Finished] = {}
        """Committed migrations by version; after a server crash an event may be repeated."""
        self.waiting_for_phase: tuple[Migration, ...] = ()
        """Pending migrations of the phase that was not requested."""
        self.direction: Direction = "up"
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._last_wait: tuple[str, float] | None = None
        self._printed_at = 0.0

    def __enter__(self) -> Watching:
        self.report.require_completion()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def planned(self, plan: Plan) -> None:
        self.direction = plan.direction
        self.waiting_for_phase = plan.waiting
        if console.interactive(self.report.err) and len(plan.migrations) > 1:
            # Only on a terminal: importing rich takes longer than a run with nothing to apply.
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.description}"),
            )
            self._bar = Progress(*columns, console=Console(file=self.report.canvas), transient=True)
            self._task = self._bar.add_task("", total=len(plan.migrations))
            self._bar.start()

    def started(self, migration: Migration) -> None:
        self._printed_at = time.monotonic()
        self._describe(migration.label)

    def statement(self, migration: Migration, number: int, count: int) -> None:
        self._printed_at = time.monotonic()
        self._describe(f"{migration.label}: statement {number} of {count}")

    def progress(self, migration: Migration, progress: Headway) -> None:
        words = f"{migration.label}: {_words(progress)}"
        self._describe(words)
        if self._bar is None:
            self.report.progress(f"  {words}")
        now = time.monotonic()
        # A terminal redraws the line; a log gets one line every few seconds.
        if not console.interactive(self.report.err) and now - self._printed_at >= _REPEAT_S:
            self._printed_at = now
            self._line(f"  {words}")

    def notice(self, migration: Migration, notice: Notice) -> None:
        where = f" ({notice.place})" if notice.place else ""
        first, *more = lines_of(notice.message) or [""]
        self._line(f"  {notice.severity.lower()}: {console.printable(first)}{where}")
        for line in (*more, *lines_of(notice.detail), *lines_of(notice.hint)):
            self._line(f"    {console.printable(line)}")

    def waiting(self, waiting: Waiting) -> None:
        words = f"{_WORDS[waiting.reason]}, {waiting.waited_s:.0f} s"
        self._describe(words)
        last = self._last_wait
        if last is None or last[0] != waiting.reason or abs(waiting.waited_s - last[1]) >= _REPEAT_S:
            self._last_wait = (waiting.reason, waiting.waited_s)
            self._line(f"  {words}")
            for other in (*waiting.holders, *waiting.blockers):
                self._line(f"    {other}")

    def resolved(self, label: str, direction: Direction) -> None:
        state = {"up": "rolled back", "down": "applied"}[direction]
        self._line(f"{label}: marked as {state} (resolved manually)")

    def finished(self, finished: Finished) -> None:
        self.finished_all[finished.migration.version] = finished
        self._last_wait = None
        word = console.good(DONE[self.direction])
        extra = f", waited {finished.lock_wait_ms:.0f} ms for locks" if finished.lock_wait_ms >= 1 else ""
        extra += f", resumed at statement {finished.resumed_at}" if finished.resumed_at else ""
        self._line(
            f"{word} {finished.migration.label} {console.dim(f'({finished.duration_ms:.0f} ms{extra})')}"
        )
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task)

    def _describe(self, text: str) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=text)

    def _line(self, text: str) -> None:
        if self._bar is not None and self.report.prose.isatty():
            # rich redraws the bar below text that is printed through its console.
            from rich.text import Text

            self._bar.console.print(Text.from_ansi(text), soft_wrap=True)
        else:
            self.report.print_line(text)


def _words(progress: Headway) -> str:
    """Format the progress of a statement: `create index on app.users, 41% (1,024 of 2,500 pages)`."""
    done = f"{progress.done:,}"
    if not progress.total:
        return f"{progress.phase}, {done} {progress.unit}" if progress.done else progress.phase
    share = min(progress.done / progress.total, 1.0)
    return f"{progress.phase}, {share:.0%} ({done} of {progress.total:,} {progress.unit})"
