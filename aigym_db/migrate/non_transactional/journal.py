"""The journal of a non-transactional migration: the ledger's events of each statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from aigym_db.database import ledger
from aigym_db.database.failure import explain_error
from aigym_db.database.ledger import JournalEntry
from aigym_db.errors import PartiallyApplied
from aigym_db.migrate.session.attempt import MigrationAttempt
from aigym_db.migrate.session.migration_run import Run
from aigym_db.migrate.step import Step
from aigym_db.model.migration import Direction, Migration, Part


@dataclass(frozen=True, slots=True)
class StartedStatement:
    """A statement that a run was about to send, and of which no run has seen that it was done."""

    sql: str
    detail: Mapping[str, Any]
    """What was known of the catalog before."""

    @property
    def tree(self) -> Any:
        """Its parse tree, of the text that was sent, which may not be the file's any more."""
        from pglast.parser import parse_sql

        return parse_sql(self.sql)[0].stmt


@dataclass(frozen=True, slots=True)
class JournalProgress:
    """Where to go on."""

    next: int
    """The first statement, from 1, that is not done."""
    begun: StartedStatement | None = None
    """What was last begun of it."""


@dataclass(frozen=True, slots=True)
class Journal:
    """What is being run, and where it is written down."""

    attempt: MigrationAttempt
    migration: Migration
    direction: Direction
    part: Part
    steps: tuple[Step, ...]

    @property
    def run(self) -> Run:
        return self.attempt.run

    def read(self) -> JournalProgress:
        """How far earlier runs came. Raises PartiallyApplied (AIG-H001), see `progress`."""
        scope = self.run.options.scope
        found = ledger.journal(self.run.second, self.migration.version, self.direction, scope)
        return progress(found, self.steps, self.migration)

    def event(self, kind: ledger.Kind, number: int | None = None, **more: Any) -> ledger.Event:
        """An event of this migration, or of its statement `number`."""
        return self.run.event(kind, self.migration, self.direction, number, **more)

    def outcome(self, lost_ms: float, **more: Any) -> ledger.Event:
        """Return the event that marks this migration as applied or rolled back."""
        return self.run.outcome(self.migration, self.direction, self.part, lost_ms, **more)

    def happened(self, event: ledger.Event) -> None:
        """Writes down what has happened, on whichever connection is left.

        Raises PartiallyApplied (AIG-H001) when that cannot be done: it has happened all the same.
        """
        try:
            try:
                self.run.record(event)
            except psycopg.Error:
                ledger.record(self.run.session.connection, event)
        except psycopg.Error as error:
            what = f"Statement {event.statement}" if event.statement else "Every statement"
            raise PartiallyApplied(
                f"{what} of {self.migration.label} is done, but the ledger could not be written.",
                place=self.steps[event.statement - 1].place() if event.statement else None,
                detail=explain_error(error).message,
                hint="Run this again once the ledger takes writes: it finds out what is done and goes on.",
            ) from None


def progress(
    journal: tuple[JournalEntry, ...], steps: tuple[Step, ...], migration: Migration
) -> JournalProgress:
    """Return the progress of these statements according to the journal.

    Raises PartiallyApplied (AIG-H001) when a statement that ran is not in the file any more as it was.
    """
    done = {entry.statement: entry for entry in journal if entry.kind == "done"}
    for number in sorted(number for number in done if number is not None):
        step = steps[number - 1] if number <= len(steps) else None
        if step is None or done[number].sql != step.text:
            raise PartiallyApplied(
                f"Statement {number} of {migration.label} has been run already, and the file no longer "
                "says the same.",
                place=step.place() if step else None,
                detail=f"It was: {done[number].sql}",
                hint="Restore that statement as it was; only statements that did not run yet may still "
                "change.",
            )
    following = next((number for number in range(1, len(steps) + 1) if number not in done), len(steps) + 1)
    begun = None
    for entry in journal:
        if entry.statement == following and entry.kind == "intent":
            begun = StartedStatement(entry.sql or "", entry.detail)
    return JournalProgress(following, begun)
