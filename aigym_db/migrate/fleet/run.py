"""One plan for many databases and tenant schemas: all are asked, then the canaries go, then the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, TypeVar

from aigym_db.database.connect import Session, connect
from aigym_db.errors import AigymError, BehindPooler, Interrupted, LockedError, ServerError, UnknownTenant
from aigym_db.migrate.apply import migrate, pending, read
from aigym_db.migrate.fleet.crew import Crew
from aigym_db.migrate.fleet.result import FleetObserver, FleetResult, Outcome
from aigym_db.migrate.observer import Finished, Observer
from aigym_db.migrate.options import Options
from aigym_db.migrate.stop import Stop
from aigym_db.migrate.tenants import tenants
from aigym_db.model.migration import Migration, Plan
from aigym_db.project.targets import Fleet, Target

J = TypeVar("J")
R = TypeVar("R")


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
    with Stop() as stop:
        heard = observer or FleetObserver()
        return _Run(
            fleet, migrations, to, options or Options(), heard, stop, Crew(fleet.parallel, stop)
        ).all()


@dataclass(slots=True)
class _Run:
    fleet: Fleet
    migrations: tuple[Migration, ...]
    to: int | None
    options: Options
    observer: FleetObserver
    stop: Stop
    crew: Crew
    first: AigymError | None = None
    """The first failure."""
    observers: dict[Outcome, Observer] = field(default_factory=dict)

    def all(self) -> FleetResult:
        outcomes = self.found()
        self.plan(outcomes)
        # In the order of the file, whoever answered first.
        self.first = next((outcome.refusal for outcome in outcomes if outcome.refusal), None)
        self.observer.planned(outcomes)
        canaries = [outcome for outcome in outcomes if outcome.target.canary]
        if self.goes_on():
            self.migrate(canaries, lambda: _none_failed(canaries))
            if _none_failed(canaries):
                self.migrate((outcome for outcome in outcomes if not outcome.target.canary), self.goes_on)
        return FleetResult(outcomes, self.refusal(outcomes))

    def found(self) -> tuple[Outcome, ...]:
        """Every target, in the order of the file; those of a pattern are sorted by name."""
        named = {(target.dsn, target.schema) for target in self.fleet.targets if target.schema}
        found = {target: [Outcome(target)] for target in self.fleet.targets}

        def ended(target: Target, answer: tuple[str, ...] | AigymError) -> None:
            if isinstance(answer, AigymError):
                self.fail(found[target][0], "refused", answer)
                return
            found[target] = [
                Outcome(replace(target, name=f"{target.name}/{schema}", schema=schema, schemas=""))
                for schema in answer
                if (target.dsn, schema) not in named
            ]

        self.ask((target for target in self.fleet.targets if target.schemas), _tenants, ended)
        return tuple(outcome for outcomes in found.values() for outcome in outcomes)

    def plan(self, outcomes: tuple[Outcome, ...]) -> None:
        """Notes what each target has pending, or why it is refused."""
        plans: dict[tuple[int, ...], Plan] = {}

        def plan(outcome: Outcome) -> Plan:
            options = self.options_of(outcome.target)
            dsn = outcome.target.dsn
            return pending(dsn, self.migrations, to=self.to, options=options, stop=self.stop)

        def ended(outcome: Outcome, answer: Plan | AigymError) -> None:
            if isinstance(answer, AigymError):
                self.fail(outcome, "refused", answer)
                return
            outcome.pending, outcome.waiting = len(answer.migrations), len(answer.waiting)
            outcome.state = "not started" if answer.migrations else "done"
            plans[tuple(migration.version for migration in answer.migrations)] = answer

        self.ask((outcome for outcome in outcomes if outcome.state != "refused"), plan, ended)
        for planned in plans.values():
            read(planned, self.options)

    def ask(
        self, jobs: Iterable[J], do: Callable[[J], R], ended: Callable[[J, R | AigymError], None]
    ) -> None:
        """Asks the targets something that changes nothing."""

        def asked(job: J) -> R | AigymError:
            try:
                return do(job)
            except AigymError as refusal:
                return refusal

        self.crew.work(jobs, asked, ended, leave=lambda: self.stop.signal is not None)
        if self.stop.signal:
            raise Interrupted(
                f"Stopped by {self.stop.signal} before any target was changed.",
                hint="Run the command again to go on.",
            )

    def migrate(self, outcomes: Iterable[Outcome], may_begin: Callable[[], bool]) -> None:
        """Migrates those that have something pending, as long as others may begin."""
        self.crew.work(
            (outcome for outcome in outcomes if outcome.state == "not started"),
            self.migrate_one,
            self.end,
            may_begin=lambda: self.stop.signal is None and may_begin(),
        )

    def migrate_one(self, outcome: Outcome) -> tuple[float, tuple[Finished, ...] | AigymError]:
        """Migrates one target, on a thread of the crew; what that took in milliseconds, and its end."""
        began = time.monotonic()
        self.crew.hear(partial(self.start, outcome))
        try:
            done: tuple[Finished, ...] | AigymError = migrate(
                outcome.target.dsn,
                self.migrations,
                to=self.to,
                options=self.options_of(outcome.target),
                observer=_Relay(lambda word, said: self.crew.hear(partial(self.tell, outcome, word, said))),
                stop=self.stop,
            )
        except AigymError as refusal:
            done = refusal
        return (time.monotonic() - began) * 1000, done

    def start(self, outcome: Outcome) -> None:
        outcome.state = "at work"
        self.observers[outcome] = self.observer.started(outcome)

    def tell(self, outcome: Outcome, word: str, said: tuple[Any, ...]) -> None:
        if word == "finished":
            outcome.finished.append(said[0])
        getattr(self.observers[outcome], word)(*said)

    def end(self, outcome: Outcome, result: tuple[float, tuple[Finished, ...] | AigymError]) -> None:
        outcome.duration_ms, done = result
        if isinstance(done, AigymError):
            self.fail(outcome, "failed", done)
        else:
            outcome.state, outcome.finished = "done", list(done)
        self.observer.ended(outcome)
        del self.observers[outcome]

    def fail(self, outcome: Outcome, state: Literal["refused", "failed"], refusal: AigymError) -> None:
        if refusal.place is None and isinstance(refusal, _OF_THE_TARGET):
            refusal.place = outcome.target.place
        outcome.state, outcome.refusal = state, refusal
        self.first = self.first or refusal

    def goes_on(self) -> bool:
        """Whether what failed so far lets others begin."""
        return self.first is None or self.fleet.on_failure == "continue"

    def options_of(self, target: Target) -> Options:
        return replace(self.options, scope=target.schema)

    def refusal(self, outcomes: tuple[Outcome, ...]) -> AigymError | None:
        left = sum(outcome.state != "done" for outcome in outcomes)
        if not self.stop.signal or not left:
            return self.first
        return Interrupted(
            f"Stopped by {self.stop.signal} with {left} of {len(outcomes)} targets left.",
            hint="Run the command again to go on.",
        )


_OF_THE_TARGET = (ServerError, LockedError, UnknownTenant, BehindPooler)
"""What a database says, and not a file: its place is where the targets file names the database."""


class _Relay(Observer):
    """Passes on every word of a run."""

    def __init__(self, hear: Callable[[str, tuple[Any, ...]], None]) -> None:
        for word in vars(Observer):
            if not word.startswith("_"):
                setattr(self, word, lambda *said, word=word: hear(word, said))


def _none_failed(outcomes: Iterable[Outcome]) -> bool:
    return all(outcome.refusal is None for outcome in outcomes)


def _tenants(target: Target) -> tuple[str, ...]:
    with closing(connect(target.dsn, session=Session(), autocommit=True)) as connection:
        return tenants(connection, target.schemas)
