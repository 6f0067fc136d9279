"""Migrate or roll back many databases and tenant schemas: plan all, then canaries, then the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from aigym_db.errors import AigymError, Interrupted
from aigym_db.migrate.apply import migrate, pending
from aigym_db.migrate.fleet.poll import at_target, expand_patterns, poll
from aigym_db.migrate.fleet.result import FleetObserver, FleetResult, TargetResult
from aigym_db.migrate.fleet.worker_pool import WorkerPool
from aigym_db.migrate.observer import Finished, Observer
from aigym_db.migrate.options import Options
from aigym_db.migrate.rollback import pending_rollback, rollback
from aigym_db.migrate.statements import read
from aigym_db.migrate.stop import Stop
from aigym_db.model.migration import Migration, Plan
from aigym_db.project.targets import Fleet, Target


def migrate_fleet(
    fleet: Fleet,
    migrations: tuple[Migration, ...],
    *,
    to: int | None = None,
    options: Options | None = None,
    observer: FleetObserver | None = None,
) -> FleetResult:
    """Apply to every target its pending migrations, up to and including version `to`.

    All targets are planned first, which is read-only. If one is rejected, none starts, unless
    `fleet.on_failure` is "continue". Canaries are migrated first; the others start only when all canaries are
    done. A second run resumes: targets that are done have nothing pending.

    Raise errors of the files that would run (AIG-P005, AIG-P008, AIG-P010), and Interrupted (AIG-I001) if a
    signal arrives before anything changes. All other errors are part of the result.
    """
    return _roll_out(fleet, _Migrate(migrations, to), options, observer)


def rollback_fleet(
    fleet: Fleet,
    migrations: tuple[Migration, ...],
    *,
    to: int,
    yes: bool = False,
    confirmed: Mapping[Target, Plan] | None = None,
    options: Options | None = None,
    observer: FleetObserver | None = None,
) -> FleetResult:
    """Roll back every target to version `to`, in the order and with the stops of `migrate_fleet`.

    Targets that are older have nothing to roll back. Each target executes the plan made at the beginning, or
    fails. A target that would lose data is rejected (AIG-G003) unless `yes` is true or `confirmed` has the
    plan of that error for it. Raise what `migrate_fleet` raises.
    """
    return _roll_out(fleet, _Rollback(migrations, to, yes, confirmed or {}), options, observer)


class _Operation(Protocol):
    """What a fleet run does to each target."""

    def plan(self, target: Target, options: Options, stop: Stop) -> Plan:
        """Return what would run on the target now. Read-only."""

    def execute(
        self, result: TargetResult, options: Options, observer: Observer, stop: Stop
    ) -> tuple[Finished, ...]:
        """Run it, and return the committed migrations."""


@dataclass(frozen=True, slots=True)
class _Migrate:
    migrations: tuple[Migration, ...]
    to: int | None

    def plan(self, target: Target, options: Options, stop: Stop) -> Plan:
        return pending(target.dsn, self.migrations, to=self.to, options=options, stop=stop)

    def execute(
        self, result: TargetResult, options: Options, observer: Observer, stop: Stop
    ) -> tuple[Finished, ...]:
        dsn = result.target.dsn
        return migrate(dsn, self.migrations, to=self.to, options=options, observer=observer, stop=stop)


@dataclass(frozen=True, slots=True)
class _Rollback:
    migrations: tuple[Migration, ...]
    to: int
    yes: bool
    confirmed: Mapping[Target, Plan]

    def plan(self, target: Target, options: Options, stop: Stop) -> Plan:
        return pending_rollback(
            target.dsn,
            self.migrations,
            to=self.to,
            yes=self._is_confirmed(target),
            plan=self.confirmed.get(target),
            options=options,
            stop=stop,
        )

    def execute(
        self, result: TargetResult, options: Options, observer: Observer, stop: Stop
    ) -> tuple[Finished, ...]:
        return rollback(
            result.target.dsn,
            self.migrations,
            to=self.to,
            yes=self._is_confirmed(result.target),
            plan=result.plan,
            options=options,
            observer=observer,
            stop=stop,
        )

    def _is_confirmed(self, target: Target) -> bool:
        return self.yes or target in self.confirmed


def _roll_out(
    fleet: Fleet, operation: _Operation, options: Options | None, observer: FleetObserver | None
) -> FleetResult:
    with Stop() as stop:
        pool = WorkerPool(fleet.parallel, stop)
        return _Rollout(fleet, operation, options or Options(), observer or FleetObserver(), pool).run()


@dataclass(slots=True)
class _Rollout:
    """One run over a fleet: plan all targets, then canaries, then the others."""

    fleet: Fleet
    operation: _Operation
    options: Options
    observer: FleetObserver
    pool: WorkerPool
    first_error: AigymError | None = None
    observers: dict[TargetResult, Observer] = field(default_factory=dict)

    @property
    def stop(self) -> Stop:
        return self.pool.stop

    def run(self) -> FleetResult:
        results = self.plan_all()
        # In the order of the file, not in the order of the answers.
        self.first_error = next((result.error for result in results if result.error), None)
        self.observer.planned(results)
        canaries = [result for result in results if result.target.canary]
        if self.may_continue():
            self.execute(canaries, lambda: _none_failed(canaries))
            if _none_failed(canaries):
                self.execute((result for result in results if not result.target.canary), self.may_continue)
        return FleetResult(results, self.error_of(results))

    def plan_all(self) -> tuple[TargetResult, ...]:
        """Return every target with its plan or its error."""
        plans: dict[tuple[int, ...], Plan] = {}
        results = []
        for target, error in expand_patterns(self.fleet, self.pool):
            results.append(TargetResult(target))
            if error is not None:
                results[-1].rejected(error)

        def plan(result: TargetResult) -> Plan:
            return self.operation.plan(result.target, self.options_of(result.target), self.stop)

        def on_end(result: TargetResult, answer: Plan | AigymError) -> None:
            if isinstance(answer, AigymError):
                result.rejected(at_target(result.target, answer))
                return
            result.planned(answer)
            plans[tuple(migration.version for migration in answer.migrations)] = answer

        poll(self.pool, [result for result in results if result.error is None], plan, on_end)
        for each in plans.values():
            read(each, self.options)
        return tuple(results)

    def execute(self, results: Iterable[TargetResult], may_start: Callable[[], bool]) -> None:
        """Run the operation on the targets that have something to do, while `may_start` returns True."""
        self.pool.work(
            (result for result in results if result.state == "not started"),
            self.execute_one,
            self.end,
            may_start=lambda: self.stop.signal is None and may_start(),
        )

    def execute_one(self, result: TargetResult) -> tuple[float, tuple[Finished, ...] | AigymError]:
        """Run the operation on one target, on a worker thread. Return its duration in ms and its outcome."""
        began = time.monotonic()
        self.pool.post(partial(self.start, result))
        relay = _Relay(
            lambda event, arguments: self.pool.post(partial(self.notify, result, event, arguments))
        )
        outcome: tuple[Finished, ...] | AigymError
        try:
            outcome = self.operation.execute(result, self.options_of(result.target), relay, self.stop)
        except AigymError as error:
            outcome = at_target(result.target, error)
        return (time.monotonic() - began) * 1000, outcome

    def start(self, result: TargetResult) -> None:
        """Record that a target was started, and notify the observer; on the main thread."""
        result.started()
        self.observers[result] = self.observer.started(result)

    def notify(self, result: TargetResult, event: str, arguments: tuple[Any, ...]) -> None:
        """Forward an event of a worker thread to the target's observer; on the main thread."""
        if event == "finished":
            result.committed(arguments[0])
        getattr(self.observers[result], event)(*arguments)

    def end(
        self, result: TargetResult, timed_outcome: tuple[float, tuple[Finished, ...] | AigymError]
    ) -> None:
        """Record duration (ms) and outcome of a target, and notify the observer; on the main thread."""
        result.ended(*timed_outcome)
        self.first_error = self.first_error or result.error
        self.observer.ended(result)
        del self.observers[result]

    def may_continue(self) -> bool:
        """Return True if other targets may start after the errors so far."""
        return self.first_error is None or self.fleet.on_failure == "continue"

    def options_of(self, target: Target) -> Options:
        """Return the options for a target: those of the run, with its tenant schema as scope."""
        return replace(self.options, scope=target.schema)

    def error_of(self, results: tuple[TargetResult, ...]) -> AigymError | None:
        """Return Interrupted (AIG-I001) if a signal left targets unfinished, else the first error."""
        remaining = sum(result.state != "done" for result in results)
        if not self.stop.signal or not remaining:
            return self.first_error
        return Interrupted(
            f"Stopped by {self.stop.signal} with {remaining} of {len(results)} targets left.",
            hint="Run the command again to resume.",
        )


class _Relay(Observer):
    """An observer that forwards the name and the arguments of every event."""

    def __init__(self, forward: Callable[[str, tuple[Any, ...]], None]) -> None:
        for event in vars(Observer):
            if not event.startswith("_"):
                setattr(self, event, lambda *arguments, event=event: forward(event, arguments))


def _none_failed(results: Iterable[TargetResult]) -> bool:
    return all(result.error is None for result in results)
