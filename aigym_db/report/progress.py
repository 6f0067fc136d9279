"""The progress of a run: one line per committed migration, and a progress bar on a terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
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
_GAP_S = 3.0
"""Seconds without a report after which a wait has ended: longer than the pause before a retry."""


@dataclass(slots=True)
class _Wait:
    """A wait as printed so far; the tries of a lock and the pauses between them are one wait."""

    reason: str
    began: float
    reasons: set[str] = field(default_factory=set)
    """The reasons printed so far."""
    pids: frozenset[int] = frozenset()
    """The sessions printed last."""
    printed_at: float = 0.0
    reported_at: float = 0.0

    def continues(self, waiting: Waiting, now: float) -> bool:
        """Return True if a report is about this wait."""
        if now - self.reported_at > _GAP_S:
            return False
        return waiting.reason == self.reason or {waiting.reason, self.reason} == {"lock", "retry"}

    def lines(self, waiting: Waiting, words: str, now: float) -> list[str]:
        """Return the lines to print about a report: blocking sessions once, the wait every few seconds."""
        self.reported_at = now
        pids = frozenset(holder.pid for holder in waiting.holders)
        pids |= frozenset(blocker.pid for blocker in waiting.blockers)
        # A retry may be reported without its blocking sessions.
        is_new = bool(pids - self.pids)
        if not is_new and waiting.reason in self.reasons and now - self.printed_at < _REPEAT_S:
            return []
        self.reasons.add(waiting.reason)
        self.printed_at = now
        if not is_new:
            return [f"  {words}"]
        self.pids = pids
        return [f"  {words}", *(f"    {session}" for session in (*waiting.holders, *waiting.blockers))]


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
        self._wait: _Wait | None = None
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
        now, wait = time.monotonic(), self._wait
        if wait is None or not wait.continues(waiting, now):
            wait = self._wait = _Wait(waiting.reason, now - waiting.waited_s)
        waited_s = now - wait.began
        words = _WORDS[waiting.reason] + (f", {waited_s:.0f} s" if waited_s >= 1 else "")
        self._describe(words)
        for line in wait.lines(waiting, words, now):
            self._line(line)

    def resolved(self, label: str, direction: Direction) -> None:
        state = {"up": "rolled back", "down": "applied"}[direction]
        self._line(f"{label}: marked as {state} (resolved manually)")

    def finished(self, finished: Finished) -> None:
        self.finished_all[finished.migration.version] = finished
        self._wait = None
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
