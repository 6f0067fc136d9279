"""A run of migrations as people watch it: a line for each that is committed, a bar on a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from aigym_db.migrate.observer import Finished, Notice, Observer, Waiting
from aigym_db.migrate.observer import Progress as Headway
from aigym_db.model.migration import Direction, Migration, Plan
from aigym_db.report import console
from aigym_db.report.result import Report

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

DONE: Mapping[Direction, Literal["applied", "undone"]] = {"up": "applied", "down": "undone"}
"""What is said of a migration that ran in this direction."""
_WORDS = {
    "runner": "waiting for another aigym-db",
    "orphan": "waiting for the server to end a killed run",
    "lock": "waiting for a lock",
    "retry": "the table stayed in use; trying again",
    "transactions": "waiting for older transactions",
    "standby": "waiting for a standby that is behind",
    "server": "waiting for the server to take connections",
}
_SAY_AGAIN_S = 5.0
"""How often a log is told that a run still waits."""


class Watching(Observer, AbstractContextManager["Watching"]):
    """Shows a run on the report's prose stream; use it as a context manager around the run."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.finished_all: dict[int, Finished] = {}
        """What is committed, by version; a crash of the server may make it tell one again."""
        self.waiting_for_phase: tuple[Migration, ...] = ()
        """What is pending and belongs to another phase than the one that was asked for."""
        self.direction: Direction = "up"
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._said: tuple[str, float] | None = None
        self._told_at = 0.0

    def __enter__(self) -> Watching:
        self.report.must_finish = True
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
            # Only where it is seen: importing rich costs more than a run with nothing to do.
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
        self._told_at = time.monotonic()
        self._describe(migration.label)

    def statement(self, migration: Migration, number: int, count: int) -> None:
        self._told_at = time.monotonic()
        self._describe(f"{migration.label}: statement {number} of {count}")

    def progress(self, migration: Migration, progress: Headway) -> None:
        words = f"{migration.label}: {_words(progress)}"
        self._describe(words)
        if self._bar is None:
            self.report.progress(f"  {words}")
        now = time.monotonic()
        # A terminal shows it all the time; a log is told now and then.
        if not console.interactive(self.report.err) and now - self._told_at >= _SAY_AGAIN_S:
            self._told_at = now
            self._line(f"  {words}")

    def notice(self, migration: Migration, notice: Notice) -> None:
        where = f" ({notice.place})" if notice.place else ""
        first, *more = notice.message.splitlines() or [""]
        self._line(f"  {notice.severity.lower()}: {console.printable(first)}{where}")
        for line in (*more, *notice.detail.splitlines(), *notice.hint.splitlines()):
            self._line(f"    {console.printable(line)}")

    def waiting(self, waiting: Waiting) -> None:
        words = f"{_WORDS[waiting.reason]}, {waiting.waited_s:.0f} s"
        self._describe(words)
        last = self._said
        if last is None or last[0] != waiting.reason or abs(waiting.waited_s - last[1]) >= _SAY_AGAIN_S:
            self._said = (waiting.reason, waiting.waited_s)
            self._line(f"  {words}")
            for other in (*waiting.holders, *waiting.blockers):
                self._line(f"    {other}")

    def given_up(self, label: str, half: str) -> None:
        self._line(f"{console.good('given up')} {label}, which was {half}: you have put it back as it was")

    def finished(self, finished: Finished) -> None:
        self.finished_all[finished.migration.version] = finished
        self._said = None
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
            # The bar redraws itself below what is printed through it.
            from rich.text import Text

            self._bar.console.print(Text.from_ansi(text), soft_wrap=True)
        else:
            self.report.say(text)


def finished_json(done: Iterable[Finished]) -> list[dict[str, Any]]:
    """Migrations as the JSON document lists them."""
    return [
        {
            "version": one.migration.version,
            "name": one.migration.name,
            "duration_ms": one.duration_ms,
            "lock_wait_ms": one.lock_wait_ms,
        }
        for one in done
    ]


def _words(progress: Headway) -> str:
    """How far a statement is: `create index: scanning table on app.users, 41% (1,024 of 2,500 pages)`."""
    done = f"{progress.done:,}"
    if not progress.total:
        return f"{progress.phase}, {done} {progress.unit}" if progress.done else progress.phase
    share = min(progress.done / progress.total, 1.0)
    return f"{progress.phase}, {share:.0%} ({done} of {progress.total:,} {progress.unit})"
