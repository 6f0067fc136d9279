"""Human-readable progress of a fleet run: lines with the target's name, bars on a terminal, a final table."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING

from aigym_db.errors import AigymError
from aigym_db.migrate.fleet.result import FleetObserver, FleetResult, TargetResult
from aigym_db.migrate.fleet.status import TargetStatus
from aigym_db.migrate.observer import Finished
from aigym_db.model.migration import Direction, Plan
from aigym_db.model.wording import counted
from aigym_db.report import console
from aigym_db.report.progress import DONE, Watching
from aigym_db.report.result import Report

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from aigym_db.report.documents import MigrateResults, RollbackResults

_VERBS = {"up": "apply", "down": "roll back"}
_MAX_NAMES = 5
"""How many targets an error lists by name."""


class WatchingFleet(FleetObserver, AbstractContextManager["WatchingFleet"]):
    """Show a fleet run on the report's prose stream. A context manager around the run."""

    def __init__(self, report: Report, direction: Direction = "up") -> None:
        self.report = report
        self.direction: Direction = direction
        self.bars: Progress | None = None
        self._all: TaskID | None = None
        self._watching: dict[TargetResult, _WatchingTarget] = {}

    def __enter__(self) -> WatchingFleet:
        self.report.require_completion()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bars is not None:
            self.bars.stop()

    def planned(self, results: tuple[TargetResult, ...]) -> None:
        pending = [result for result in results if result.state == "not started"]
        to_do = f"{len(pending)} with something to {_VERBS[self.direction]}"
        counts = f"{counted(len(results), 'target')}, {to_do}"
        rejected = sum(result.state == "rejected" for result in results)
        self.report.print_line(f"{counts}, {rejected} rejected." if rejected else f"{counts}.")
        if console.interactive(self.report.err) and pending:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            name = TextColumn("{task.fields[target]}", markup=False)
            description = TextColumn("{task.description}", markup=False)
            columns = (name, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), description)
            self.bars = Progress(*columns, console=Console(file=self.report.canvas), transient=True)
            self._all = self.bars.add_task("", total=len(pending), target="targets")
            self.bars.start()

    def started(self, result: TargetResult) -> _WatchingTarget:
        task = None
        if self.bars is not None:
            task = self.bars.add_task("", total=result.pending, target=result.target.name)
        watching = self._watching[result] = _WatchingTarget(self, result, task)
        return watching

    def ended(self, result: TargetResult) -> None:
        task = self._watching.pop(result).task
        if self.bars is not None and self._all is not None and task is not None:
            self.bars.remove_task(task)
            self.bars.advance(self._all)
        good = result.state == "done"
        word = console.good("done") if good else console.bad("failed")
        took = console.dim(f"({len(result.finished)} {DONE[self.direction]}, {_took(result)})")
        error = "" if result.error is None else f" {result.error.code} {result.error.message}"
        self.line(f"{word} {result.target.name} {took}{error}")

    def line(self, text: str) -> None:
        """Write a line, above the bars if there are any."""
        if self.bars is not None and self.report.prose.isatty():
            from rich.text import Text

            self.bars.console.print(Text.from_ansi(text), soft_wrap=True)
        else:
            self.report.print_line(text)

    def summary(self, result: FleetResult) -> None:
        """Write the table of all targets, and each error once, with the targets it occurred on."""
        self.report.add_results(lambda: _results(result.targets, self.direction))
        self.report.print_line()
        for row in _table(result.targets, self.direction):
            self.report.print_line(row)
        self.report.print_line()
        for error in merged_errors(result.targets):
            self.report.add_error(error)
        if result.error is not None and all(each.error is not result.error for each in result.targets):
            self.report.add_error(result.error)
        counts = {word: sum(_state(each) == word for each in result.targets) for word in _STATES}
        self.report.print_line(", ".join(f"{count} {word}" for word, count in counts.items() if count) + ".")
        waiting = sum(each.waiting > 0 for each in result.targets)
        if waiting:
            self.report.print_line(f"{counted(waiting, 'target')} with migrations of the other phase.")


class _WatchingTarget(Watching):
    """The run of one target; its lines begin with the target's name."""

    def __init__(self, fleet: WatchingFleet, result: TargetResult, task: TaskID | None) -> None:
        super().__init__(fleet.report)
        self.fleet, self.result, self.task = fleet, result, task
        self.direction = fleet.direction

    def planned(self, plan: Plan) -> None:
        """Write nothing: the plans of all targets have been shown."""

    def finished(self, finished: Finished) -> None:
        if self.fleet.bars is None or self.task is None:
            super().finished(finished)
        else:
            # Thousands of lines for applied migrations would hide notices and errors.
            self.fleet.bars.advance(self.task)

    def _describe(self, text: str) -> None:
        if self.fleet.bars is not None and self.task is not None:
            self.fleet.bars.update(self.task, description=text)

    def _line(self, text: str) -> None:
        self.fleet.line(f"{self.result.target.name}: {text.lstrip()}")


_STATES = ("done", "up to date", "nothing to roll back", "rejected", "failed", "stopped", "not started")


def _state(result: TargetResult) -> str:
    if result.state == "done" and result.plan is not None and not result.pending:
        return {"up": "up to date", "down": "nothing to roll back"}[result.plan.direction]
    if result.error is not None and result.error.exit_status == 130:
        return "stopped"
    return result.state


def _table(results: Iterable[TargetResult], direction: Direction) -> list[str]:
    rows: list[tuple[str, ...]] = [("target", "status", DONE[direction], "time", "error")]
    rows += [
        (
            console.printable(result.target.name),
            _state(result),
            f"{len(result.finished)} of {result.pending}" if result.pending else "",
            _took(result) if result.duration_ms else "",
            result.error.code if result.error else "",
        )
        for result in results
    ]
    return console.columns(rows)


def merged_errors(targets: Iterable[TargetResult | TargetStatus]) -> Iterable[AigymError]:
    """Yield each error with the names of its targets in the message; equal errors are merged."""
    groups: dict[tuple[object, ...], tuple[AigymError, list[str]]] = {}
    for each in targets:
        if (error := each.error) is not None:
            key = error.code, error.message, error.detail, error.hint, error.place
            groups.setdefault(key, (error, []))[1].append(each.target.name)
    for error, names in groups.values():
        more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
        yield error.amended(message=f"{', '.join(names[:_MAX_NAMES])}{more}: {error.message}")


def _took(result: TargetResult) -> str:
    duration_ms = result.duration_ms
    return f"{duration_ms:.0f} ms" if duration_ms < 10_000 else f"{duration_ms / 1000:.0f} s"


def _results(results: Iterable[TargetResult], direction: Direction) -> MigrateResults | RollbackResults:
    from aigym_db.report import entries
    from aigym_db.report.documents import (
        ExecutedTarget,
        MigratedTarget,
        MigrateResults,
        RollbackResults,
        RolledBackTarget,
    )

    def executed(result: TargetResult) -> ExecutedTarget:
        return ExecutedTarget(
            **entries.target(result.target, _state(result), result.error),
            pending=result.pending if result.plan else None,
            waiting=result.waiting if result.plan else None,
            duration_ms=round(result.duration_ms, 3),
        )

    if direction == "up":
        return MigrateResults(
            targets=[
                MigratedTarget(**executed(result), applied=entries.finished(result.finished))
                for result in results
            ]
        )
    return RollbackResults(
        targets=[
            RolledBackTarget(**executed(result), rolled_back=entries.finished(result.finished))
            for result in results
        ]
    )
