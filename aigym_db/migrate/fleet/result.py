"""The results of a fleet run, and the observer that follows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from aigym_db.errors import AigymError, DataLoss, Interrupted
from aigym_db.migrate.observer import Finished, Observer
from aigym_db.model.migration import Plan
from aigym_db.project.targets import Fleet, Target


@dataclass(slots=True, eq=False)
class TargetResult:
    """One target: its plan and its progress. The methods record each transition."""

    target: Target
    state: Literal["not started", "rejected", "running", "done", "failed"] = "not started"
    """`rejected`: an error before any target was changed. `failed`: an error while it was changed."""
    plan: Plan | None = None
    """The plan made before any target was changed; None if rejected."""
    finished: list[Finished] = field(default_factory=list)
    """The committed migrations, in order."""
    duration_ms: float = 0.0
    error: AigymError | None = None
    """The reason of a failure or rejection."""

    @property
    def pending(self) -> int:
        """The number of migrations in the plan."""
        return len(self.plan.migrations) if self.plan else 0

    @property
    def waiting(self) -> int:
        """The number of pending migrations of another phase."""
        return len(self.plan.waiting) if self.plan else 0

    def planned(self, plan: Plan) -> None:
        """Set the plan; the target is done if it is empty."""
        self.plan = plan
        self.state = "not started" if plan.migrations or plan.unfinished else "done"

    def rejected(self, error: AigymError) -> None:
        """Set the error of a target that was not changed."""
        self.state, self.error = "rejected", error

    def started(self) -> None:
        """Mark the target as running."""
        self.state = "running"

    def committed(self, finished: Finished) -> None:
        """Add a committed migration."""
        self.finished.append(finished)

    def ended(self, duration_ms: float, outcome: tuple[Finished, ...] | AigymError) -> None:
        """Set the final state: done with all committed migrations, or failed with the error."""
        self.duration_ms = duration_ms
        if isinstance(outcome, AigymError):
            self.state, self.error = "failed", outcome
        else:
            self.state, self.finished = "done", list(outcome)


@dataclass(frozen=True, slots=True)
class FleetResult:
    """The results of all targets, in the order of the targets file."""

    targets: tuple[TargetResult, ...]
    error: AigymError | None
    """The first error, or Interrupted (AIG-I001) after a signal; None if every target is done."""

    @property
    def exit_status(self) -> int:
        """The exit status of the command: 0, or that of `error`."""
        return 0 if self.error is None else self.error.exit_status

    def data_loss(self, fleet: Fleet) -> dict[Target, Plan]:
        """Return the targets rejected for data loss (AIG-G003), each with the plan to confirm.

        Empty if a confirmation is not sufficient: after a signal, and if another error stops these targets.
        """
        plans = {
            result.target: result.error.plan
            for result in self.targets
            if isinstance(result.error, DataLoss) and result.error.plan is not None
        }
        stopped = any(
            result.error is not None
            and result.target not in plans
            and (result.target.canary or fleet.on_failure == "stop")
            for result in self.targets
        )
        return {} if stopped or isinstance(self.error, Interrupted) else plans

    def with_errors(self, change: Callable[[AigymError], AigymError]) -> FleetResult:
        """Return these results with each error replaced by the result of `change`.

        `change` is called once for an object that is the error of several targets, or a target's and `error`.
        """
        before = (self.error, *(each.error for each in self.targets))
        errors = {id(error): change(error) for error in before if error}

        def changed(error: AigymError | None) -> AigymError | None:
            return errors[id(error)] if error else None

        targets = tuple(replace(each, error=changed(each.error)) for each in self.targets)
        return FleetResult(targets, changed(self.error))

    def merged(self, later: FleetResult) -> FleetResult:
        """Return these results with those of a later run over some of the targets."""
        newer = {result.target: result for result in later.targets}
        targets = tuple(newer.get(result.target, result) for result in self.targets)
        errors = (result.error for result in targets if result.error is not None)
        return FleetResult(targets, later.error or next(errors, None))


class FleetObserver:
    """Callbacks of a fleet run, called one at a time on the calling thread.

    Override the methods you need; an exception that one raises ends the run.
    """

    def planned(self, results: tuple[TargetResult, ...]) -> None:
        """Called when every target has a plan or an error, before any is changed."""

    def started(self, result: TargetResult) -> Observer:
        """Called before a target is changed. Return the observer of its run."""
        return Observer()

    def ended(self, result: TargetResult) -> None:
        """Called when a target is done or has failed."""
