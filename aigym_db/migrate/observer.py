"""What a run tells while it goes on; the command line shows it, tests look at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from aigym_db.database.locks import Blocker, Holder
    from aigym_db.model.migration import Migration, Plan
    from aigym_db.model.source import Place


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why nothing happens at the moment."""

    reason: Literal["runner", "orphan", "lock", "retry", "transactions", "standby", "server"]
    """runner: another aigym-db migrates. orphan: the session of one that was killed still runs. lock: a
    statement waits for a table. retry: it waited too long and is tried again. transactions: CONCURRENTLY has
    to wait for them. standby: one cannot keep up with a backfill. server: it went away or
    is coming up, and nothing of ours was under way."""
    waited_s: float
    holders: tuple[Holder, ...] = ()
    blockers: tuple[Blocker, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a statement is that takes its time."""

    phase: str
    """What is being done, in words, e.g. `building index: loading tuples in tree`."""
    done: int
    total: int
    """0 when nobody knows."""
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
    """A migration that was applied or undone; it is committed."""

    migration: Migration
    duration_ms: float
    lock_wait_ms: float = 0.0
    """What was lost to tries that had to wait for a lock too long."""
    resumed_at: int | None = field(default=None)
    """The statement, from 1, at which a migration outside a transaction went on."""


class Observer:
    """Hears what a run does, says nothing. Override what you need; whatever a method raises ends the run."""

    def planned(self, plan: Plan) -> None:
        """The lock is held, this is what will run now."""

    def started(self, migration: Migration) -> None:
        """The migration is about to be sent."""

    def statement(self, migration: Migration, number: int, count: int) -> None:
        """A statement of a migration outside a transaction is about to be sent."""

    def progress(self, migration: Migration, progress: Progress) -> None:
        """A statement that takes its time has come so far; called again and again."""

    def notice(self, migration: Migration, notice: Notice) -> None:
        """The server said something."""

    def waiting(self, waiting: Waiting) -> None:
        """Nothing happens; called again and again while it lasts."""

    def resolved(self, label: str, state: str) -> None:
        """Called after a partially applied migration was marked as `state`: `applied` or `rolled back`."""

    def finished(self, finished: Finished) -> None:
        """The migration is committed."""
