"""One plan for many databases and tenant schemas: all are asked, then the canaries go, then the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, Protocol

from aigym_db.errors import AigymError, Interrupted
from aigym_db.migrate.apply import migrate, pending
from aigym_db.migrate.fleet.poll import ask, found, placed
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
    """Applies to every target what it has pending, up to and with version `to`, as its own ledger says.

    First every target is asked, which changes nothing. When one is refused, none starts, unless the fleet
    goes on after failures. Canaries go first, and the rest only when all of them are done. Run again it goes
    on: what is done has nothing pending.

    Raises what is wrong with a file that would run (AIG-P005, AIG-P008, AIG-P010), and Interrupted (AIG-I001)
    while nothing has changed yet. Everything else is in the result.
    """
    return _run(fleet, _Up(migrations, to), options, observer)


def rollback_fleet(
    fleet: Fleet,
    migrations: tuple[Migration, ...],
    *,
    to: int,
    yes: bool = False,
    agreed: Mapping[Target, Plan] | None = None,
    options: Options | None = None,
    observer: FleetObserver | None = None,
) -> FleetResult:
    """Undoes everything after version `to` on every target that has come further, in the order and with the
    stops of `migrate_fleet`; each undoes what it said when it was asked, or nothing.

    Refuses a target where data would be lost (AIG-G003) unless `yes`, or unless `agreed` has for it the plan
    of such a refusal. Raises what `migrate_fleet` raises.
    """
    return _run(fleet, _Down(migrations, to, yes, agreed or {}), options, observer)


class _Work(Protocol):
    """What is to be done to each target."""

    def plan(self, target: Target, options: Options, stop: Stop) -> Plan:
        """What it would run there now; it only reads."""

    def do(
        self, outcome: TargetResult, options: Options, observer: Observer, stop: Stop
    ) -> tuple[Finished, ...]:
        """Runs it."""


@dataclass(frozen=True, slots=True)
class _Up:
    migrations: tuple[Migration, ...]
    to: int | None

    def plan(self, target: Target, options: Options, stop: Stop) -> Plan:
        return pending(target.dsn, self.migrations, to=self.to, options=options, stop=stop)

    def do(
        self, outcome: TargetResult, options: Options, observer: Observer, stop: Stop
    ) -> tuple[Finished, ...]:
        dsn = outcome.target.dsn
        return migrate(dsn, self.migrations, to=self.to, options=options, observer=observer, stop=stop)


@dataclass(frozen=True, slots=True)
class _Down:
    migrations: tuple[Migration, ...]
    to: int
    yes: bool
    agreed: Mapping[Target, Plan]

    def plan(self, target: Target, options: Options, stop: Stop) -> Plan:
        return pending_rollback(
            target.dsn,
            self.migrations,
            to=self.to,
            yes=self._sure(target),
            plan=self.agreed.get(target),
            options=options,
            stop=stop,
        )

    def do(
        self, outcome: TargetResult, options: Options, observer: Observer, stop: Stop
    ) -> tuple[Finished, ...]:
        return rollback(
            outcome.target.dsn,
            self.migrations,
            to=self.to,
            yes=self._sure(outcome.target),
            plan=outcome.plan,
            options=options,
            observer=observer,
            stop=stop,
        )

    def _sure(self, target: Target) -> bool:
        return self.yes or target in self.agreed


def _run(fleet: Fleet, work: _Work, options: Options | None, observer: FleetObserver | None) -> FleetResult:
    with Stop() as stop:
        crew = WorkerPool(fleet.parallel, stop)
        return _Rollout(fleet, work, options or Options(), observer or FleetObserver(), crew).all()


@dataclass(slots=True)
class _Rollout:
    fleet: Fleet
    work: _Work
    options: Options
    observer: FleetObserver
    crew: WorkerPool
    first: AigymError | None = None
    """The first failure."""
    observers: dict[TargetResult, Observer] = field(default_factory=dict)

    @property
    def stop(self) -> Stop:
        return self.crew.stop

    def all(self) -> FleetResult:
        outcomes = self.asked()
        # In the order of the file, whoever answered first.
        self.first = next((outcome.refusal for outcome in outcomes if outcome.refusal), None)
        self.observer.planned(outcomes)
        canaries = [outcome for outcome in outcomes if outcome.target.canary]
        if self.goes_on():
            self.do(canaries, lambda: _none_failed(canaries))
            if _none_failed(canaries):
                self.do((outcome for outcome in outcomes if not outcome.target.canary), self.goes_on)
        return FleetResult(outcomes, self.refusal(outcomes))

    def asked(self) -> tuple[TargetResult, ...]:
        """Every target, with its plan or why it is refused."""
        plans: dict[tuple[int, ...], Plan] = {}
        outcomes = []
        for target, refusal in found(self.fleet, self.crew):
            outcomes.append(TargetResult(target))
            if refusal is not None:
                self.fail(outcomes[-1], "refused", refusal)

        def plan(outcome: TargetResult) -> Plan:
            return self.work.plan(outcome.target, self.options_of(outcome.target), self.stop)

        def ended(outcome: TargetResult, answer: Plan | AigymError) -> None:
            if isinstance(answer, AigymError):
                self.fail(outcome, "refused", answer)
                return
            outcome.plan = answer
            outcome.state = "not started" if answer.migrations or answer.unfinished else "done"
            plans[tuple(migration.version for migration in answer.migrations)] = answer

        ask(self.crew, (outcome for outcome in outcomes if outcome.state != "refused"), plan, ended)
        for planned in plans.values():
            read(planned, self.options)
        return tuple(outcomes)

    def do(self, outcomes: Iterable[TargetResult], may_begin: Callable[[], bool]) -> None:
        """Does the work to those that have something to do, as long as others may begin."""
        self.crew.work(
            (outcome for outcome in outcomes if outcome.state == "not started"),
            self.do_one,
            self.end,
            may_begin=lambda: self.stop.signal is None and may_begin(),
        )

    def do_one(self, outcome: TargetResult) -> tuple[float, tuple[Finished, ...] | AigymError]:
        """One target, on a thread of the crew; what that took in milliseconds, and its end."""
        began = time.monotonic()
        self.crew.hear(partial(self.start, outcome))
        relay = _Relay(lambda word, said: self.crew.hear(partial(self.tell, outcome, word, said)))
        try:
            done: tuple[Finished, ...] | AigymError = self.work.do(
                outcome, self.options_of(outcome.target), relay, self.stop
            )
        except AigymError as refusal:
            done = refusal
        return (time.monotonic() - began) * 1000, done

    def start(self, outcome: TargetResult) -> None:
        outcome.state = "at work"
        self.observers[outcome] = self.observer.started(outcome)

    def tell(self, outcome: TargetResult, word: str, said: tuple[Any, ...]) -> None:
        if word == "finished":
            outcome.finished.append(said[0])
        getattr(self.observers[outcome], word)(*said)

    def end(self, outcome: TargetResult, result: tuple[float, tuple[Finished, ...] | AigymError]) -> None:
        outcome.duration_ms, done = result
        if isinstance(done, AigymError):
            self.fail(outcome, "failed", done)
        else:
            outcome.state, outcome.finished = "done", list(done)
        self.observer.ended(outcome)
        del self.observers[outcome]

    def fail(self, outcome: TargetResult, state: Literal["refused", "failed"], refusal: AigymError) -> None:
        outcome.state, outcome.refusal = state, placed(outcome.target, refusal)
        self.first = self.first or refusal

    def goes_on(self) -> bool:
        """Whether what failed so far lets others begin."""
        return self.first is None or self.fleet.on_failure == "continue"

    def options_of(self, target: Target) -> Options:
        return replace(self.options, scope=target.schema)

    def refusal(self, outcomes: tuple[TargetResult, ...]) -> AigymError | None:
        left = sum(outcome.state != "done" for outcome in outcomes)
        if not self.stop.signal or not left:
            return self.first
        return Interrupted(
            f"Stopped by {self.stop.signal} with {left} of {len(outcomes)} targets left.",
            hint="Run the command again to go on.",
        )


class _Relay(Observer):
    """Passes on every word of a run."""

    def __init__(self, hear: Callable[[str, tuple[Any, ...]], None]) -> None:
        for word in vars(Observer):
            if not word.startswith("_"):
                setattr(self, word, lambda *said, word=word: hear(word, said))


def _none_failed(outcomes: Iterable[TargetResult]) -> bool:
    return all(outcome.refusal is None for outcome in outcomes)
