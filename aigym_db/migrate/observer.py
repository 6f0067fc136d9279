"""The progress of a run, as reported to an observer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from aigym_db.database.locks import Blocker, Holder
    from aigym_db.model.migration import Direction, Migration, Plan
    from aigym_db.model.source import Place


@dataclass(frozen=True, slots=True)
class Waiting:
    """The reason a run is waiting."""

    reason: Literal["runner", "orphan", "lock", "retry", "transactions", "standby", "server"]
    """runner: another run holds the runner lock. orphan: the session of a killed run still exists. lock: a
    statement waits for a lock. retry: a lock timeout occurred and the statement is retried. transactions: a
    statement with CONCURRENTLY waits for older transactions. standby: the replication lag of a backfill is
    too large. server: it went away or is starting up, and no statement was in progress."""
    waited_s: float
    holders: tuple[Holder, ...] = ()
    blockers: tuple[Blocker, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a long-running statement."""

    phase: str
    """The phase, e.g. `building index: loading tuples in tree`."""
    done: int
    total: int
    """0 if unknown."""
    unit: str
    """What is counted, e.g. `pages`."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A NOTICE, WARNING or INFO of the server."""

    severity: str
    message: str
    place: Place | None = None
    detail: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """A migration that was applied or rolled back; it is committed."""

    migration: Migration
    duration_ms: float
    lock_wait_ms: float = 0.0
    """The time lost to lock timeouts, in milliseconds, including the pauses."""
    resumed_at: int | None = field(default=None)
    """The statement, from 1, at which a non-transactional migration was resumed."""


class Observer:
    """The events of a run. The methods do nothing: override those you need. An exception ends the run."""

    def planned(self, plan: Plan) -> None:
        """Called with the plan once the locks are held."""

    def started(self, migration: Migration) -> None:
        """Called before the first statement of a migration is sent."""

    def statement(self, migration: Migration, number: int, count: int) -> None:
        """Called before a statement of a non-transactional migration is sent; `number` counts from 1."""

    def progress(self, migration: Migration, progress: Progress) -> None:
        """Called repeatedly while a long-running statement makes progress."""

    def notice(self, migration: Migration, notice: Notice) -> None:
        """Called for each NOTICE, WARNING or INFO."""

    def waiting(self, waiting: Waiting) -> None:
        """Called repeatedly while the run waits."""

    def resolved(self, label: str, direction: Direction) -> None:
        """Called when a migration interrupted in this direction is marked as resolved manually."""

    def finished(self, finished: Finished) -> None:
        """Called after a migration was committed."""
