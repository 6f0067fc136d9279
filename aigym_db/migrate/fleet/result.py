"""What became of the targets of a fleet, and who wants to hear of it meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from aigym_db.errors import AigymError, DataLoss, Interrupted
from aigym_db.migrate.observer import Finished, Observer
from aigym_db.model.migration import Plan
from aigym_db.project.targets import Fleet, Target


@dataclass(slots=True, eq=False)
class TargetResult:
    """One target: what it had to do, and how far it came."""

    target: Target
    state: Literal["not started", "refused", "at work", "done", "failed"] = "not started"
    """`refused` is what was found out while every target was asked, before anything changed."""
    plan: Plan | None = None
    """What it had to do when it was asked; None when it was refused."""
    finished: list[Finished] = field(default_factory=list)
    """What was applied or undone and is committed, in that order."""
    duration_ms: float = 0.0
    refusal: AigymError | None = None
    """Why it failed or was refused."""

    @property
    def pending(self) -> int:
        """How many migrations it had to run."""
        return len(self.plan.migrations) if self.plan else 0

    @property
    def waiting(self) -> int:
        """How many more it has for another phase."""
        return len(self.plan.waiting) if self.plan else 0


@dataclass(frozen=True, slots=True)
class FleetResult:
    """Every target in the order of the file."""

    outcomes: tuple[TargetResult, ...]
    refusal: AigymError | None
    """Why not every target is done: the first failure, or the signal that stopped all. Its exit status is
    that of the whole."""

    @property
    def exit_status(self) -> int:
        return 0 if self.refusal is None else self.refusal.exit_status

    def losing(self, fleet: Fleet) -> dict[Target, Plan]:
        """The targets that would lose data, and the plan that does so: what a yes is worth asking for.

        Empty where a yes would not be enough: after a signal, and when another failure keeps them back.
        """
        found = {
            one.target: one.refusal.plan
            for one in self.outcomes
            if isinstance(one.refusal, DataLoss) and one.refusal.plan is not None
        }
        kept_back = any(
            one.refusal is not None
            and one.target not in found
            and (one.target.canary or fleet.on_failure == "stop")
            for one in self.outcomes
        )
        return {} if kept_back or isinstance(self.refusal, Interrupted) else found

    def then(self, later: FleetResult) -> FleetResult:
        """What became of all, after some of the targets were gone back to."""
        again = {one.target: one for one in later.outcomes}
        outcomes = tuple(again.get(one.target, one) for one in self.outcomes)
        refusals = (one.refusal for one in outcomes if one.refusal is not None)
        return FleetResult(outcomes, later.refusal or next(refusals, None))


class FleetObserver:
    """Hears what a fleet does, one thing after the other. Override what you need; whatever a method raises
    ends all."""

    def planned(self, outcomes: tuple[TargetResult, ...]) -> None:
        """Every target was asked what it has to do; nothing has changed yet."""

    def started(self, outcome: TargetResult) -> Observer:
        """A target is about to be changed; who is to hear of it."""
        return Observer()

    def ended(self, outcome: TargetResult) -> None:
        """A target is done or has failed."""
