"""A fleet as people watch it: lines with the target's name, bars on a terminal, and one table at the end."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from aigym_db.errors import AigymError
from aigym_db.migrate.fleet.result import FleetObserver, FleetResult, TargetResult
from aigym_db.migrate.fleet.status import TargetStatus
from aigym_db.migrate.observer import Finished
from aigym_db.model.migration import Direction, Plan
from aigym_db.model.wording import counted
from aigym_db.report import console, machine
from aigym_db.report.progress import DONE, DONE_KEY, Watching, finished_json
from aigym_db.report.result import Report

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_TO_DO = {"up": "apply", "down": "undo"}
_NAMED = 5
"""How many targets a refusal names that came from more."""


class WatchingFleet(FleetObserver, AbstractContextManager["WatchingFleet"]):
    """Shows a fleet on the report's prose stream; use it as a context manager around the run."""

    def __init__(self, report: Report, direction: Direction = "up") -> None:
        self.report = report
        self.direction: Direction = direction
        self.bars: Progress | None = None
        self._all: TaskID | None = None
        self._watching: dict[TargetResult, _WatchingTarget] = {}

    def __enter__(self) -> WatchingFleet:
        self.report.must_finish = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bars is not None:
            self.bars.stop()

    def planned(self, outcomes: tuple[TargetResult, ...]) -> None:
        pending = [outcome for outcome in outcomes if outcome.state == "not started"]
        to_do = f"{len(pending)} with something to {_TO_DO[self.direction]}"
        counts = f"{counted(len(outcomes), 'target')}, {to_do}"
        refused = sum(outcome.state == "refused" for outcome in outcomes)
        self.report.say(f"{counts}, {refused} refused." if refused else f"{counts}.")
        if console.interactive(self.report.err) and pending:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            name = TextColumn("{task.fields[target]}", markup=False)
            description = TextColumn("{task.description}", markup=False)
            columns = (name, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), description)
            self.bars = Progress(*columns, console=Console(file=self.report.canvas), transient=True)
            self._all = self.bars.add_task("", total=len(pending), target="targets")
            self.bars.start()

    def started(self, outcome: TargetResult) -> _WatchingTarget:
        task = None
        if self.bars is not None:
            task = self.bars.add_task("", total=outcome.pending, target=outcome.target.name)
        watching = self._watching[outcome] = _WatchingTarget(self, outcome, task)
        return watching

    def ended(self, outcome: TargetResult) -> None:
        task = self._watching.pop(outcome).task
        if self.bars is not None and self._all is not None and task is not None:
            self.bars.remove_task(task)
            self.bars.advance(self._all)
        good = outcome.state == "done"
        word = console.good("done") if good else console.bad("failed")
        took = console.dim(f"({len(outcome.finished)} {DONE[self.direction]}, {_took(outcome)})")
        said = "" if outcome.refusal is None else f" {outcome.refusal.code} {outcome.refusal.message}"
        self.line(f"{word} {outcome.target.name} {took}{said}")

    def line(self, text: str) -> None:
        """A line for people, above the bars where there are any."""
        if self.bars is not None and self.report.prose.isatty():
            from rich.text import Text

            self.bars.console.print(Text.from_ansi(text), soft_wrap=True)
        else:
            self.report.say(text)

    def summary(self, result: FleetResult) -> None:
        """The table of all targets, and every refusal once, with the targets it came from."""
        self.report.data["targets"] = [_as_json(outcome, self.direction) for outcome in result.outcomes]
        self.report.say()
        for row in _table(result.outcomes, self.direction):
            self.report.say(row)
        self.report.say()
        for refusal in refusals(result.outcomes):
            self.report.refused(refusal)
        if result.refusal is not None and all(one.refusal is not result.refusal for one in result.outcomes):
            self.report.refused(result.refusal)
        counts = {word: sum(_state(one) == word for one in result.outcomes) for word in _STATES}
        self.report.say(", ".join(f"{count} {word}" for word, count in counts.items() if count) + ".")
        waiting = sum(outcome.waiting > 0 for outcome in result.outcomes)
        if waiting:
            self.report.say(f"{counted(waiting, 'target')} with something left for the other phase.")


class _WatchingTarget(Watching):
    """The run of one target; its lines say whose they are."""

    def __init__(self, fleet: WatchingFleet, outcome: TargetResult, task: TaskID | None) -> None:
        super().__init__(fleet.report)
        self.fleet, self.outcome, self.task = fleet, outcome, task
        self.direction = fleet.direction

    def planned(self, plan: Plan) -> None:
        """Nothing: the fleet has told what is planned."""

    def finished(self, finished: Finished) -> None:
        if self.fleet.bars is None or self.task is None:
            super().finished(finished)
        else:
            # Where thousands are applied in view, a line for each would hide those that matter.
            self.fleet.bars.advance(self.task)

    def _describe(self, text: str) -> None:
        if self.fleet.bars is not None and self.task is not None:
            self.fleet.bars.update(self.task, description=text)

    def _line(self, text: str) -> None:
        self.fleet.line(f"{self.outcome.target.name}: {text.lstrip()}")


_STATES = ("done", "up to date", "nothing to undo", "refused", "failed", "stopped", "not started")


def _state(outcome: TargetResult) -> str:
    if outcome.state == "done" and outcome.plan is not None and not outcome.pending:
        return {"up": "up to date", "down": "nothing to undo"}[outcome.plan.direction]
    if outcome.refusal is not None and outcome.refusal.exit_status == 130:
        return "stopped"
    return outcome.state


def _table(outcomes: Iterable[TargetResult], direction: Direction) -> list[str]:
    rows: list[tuple[str, ...]] = [("target", "status", DONE[direction], "time", "error")]
    rows += [
        (
            console.printable(outcome.target.name),
            _state(outcome),
            f"{len(outcome.finished)} of {outcome.pending}" if outcome.pending else "",
            _took(outcome) if outcome.duration_ms else "",
            outcome.refusal.code if outcome.refusal else "",
        )
        for outcome in outcomes
    ]
    return console.columns(rows)


def refusals(outcomes: Iterable[TargetResult | TargetStatus]) -> Iterable[AigymError]:
    """Each refusal with the names of those it is about; the same of several targets is one."""
    found: dict[tuple[object, ...], list[TargetResult | TargetStatus]] = {}
    for outcome in outcomes:
        if outcome.refusal is not None:
            one = outcome.refusal
            found.setdefault((one.code, one.message, one.detail, one.hint, one.place), []).append(outcome)
    for same in found.values():
        names = [outcome.target.name for outcome in same[:_NAMED]]
        more = f" and {len(same) - _NAMED} more" if len(same) > _NAMED else ""
        assert same[0].refusal is not None
        refusal = copy.copy(same[0].refusal)
        refusal.message = f"{', '.join(names)}{more}: {refusal.message}"
        yield refusal


def _took(outcome: TargetResult) -> str:
    spent_ms = outcome.duration_ms
    return f"{spent_ms:.0f} ms" if spent_ms < 10_000 else f"{spent_ms / 1000:.0f} s"


def _as_json(outcome: TargetResult, direction: Direction) -> dict[str, Any]:
    return {
        "name": outcome.target.name,
        "schema": outcome.target.schema or None,
        "canary": outcome.target.canary,
        "status": _state(outcome),
        "pending": outcome.pending,
        "waiting": outcome.waiting,
        DONE_KEY[direction]: finished_json(outcome.finished),
        "duration_ms": round(outcome.duration_ms, 3),
        "error": machine.as_json(machine.as_finding(outcome.refusal)) if outcome.refusal else None,
    }
