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
    """A statement with an `intent` event and no `done` event: its outcome is unknown."""

    sql: str
    detail: Mapping[str, Any]
    """The catalog facts recorded before it was sent."""

    @property
    def tree(self) -> Any:
        """The parse tree of the text that was sent; the file may have changed since."""
        from pglast.parser import parse_sql

        return parse_sql(self.sql)[0].stmt


@dataclass(frozen=True, slots=True)
class JournalProgress:
    """The statement at which a run resumes."""

    next: int
    """The first statement, from 1, that is not done."""
    started: StartedStatement | None = None
    """That statement as last sent by an interrupted run; None if it was not sent."""


@dataclass(frozen=True, slots=True)
class Journal:
    """The events of a migration in one direction."""

    attempt: MigrationAttempt
    migration: Migration
    direction: Direction
    part: Part
    steps: tuple[Step, ...]

    @property
    def run(self) -> Run:
        return self.attempt.run

    def read(self) -> JournalProgress:
        """Return the progress of earlier runs. Raise PartiallyApplied (AIG-H001) as `progress` does."""
        scope = self.run.options.scope
        entries = ledger.journal(self.run.second, self.migration.version, self.direction, scope)
        return progress(entries, self.steps, self.migration)

    def event(self, kind: ledger.Kind, number: int | None = None, **more: Any) -> ledger.Event:
        """Return an event of this migration, or of its statement `number`."""
        return self.run.event(kind, self.migration, self.direction, number, **more)

    def outcome(self, lost_ms: float, **more: Any) -> ledger.Event:
        """Return the event that marks this migration as applied or rolled back."""
        return self.run.outcome(self.migration, self.direction, self.part, lost_ms, **more)

    def happened(self, event: ledger.Event) -> None:
        """Record an event that has taken effect, over either connection.

        Raise PartiallyApplied (AIG-H001) if it cannot be recorded.
        """
        try:
            try:
                self.run.record(event)
            except psycopg.Error:
                ledger.record(self.run.session.connection, event)
        except psycopg.Error as error:
            subject = f"Statement {event.statement}" if event.statement else "Every statement"
            raise PartiallyApplied(
                f"{subject} of {self.migration.label} is done, but the ledger could not be written.",
                place=self.steps[event.statement - 1].place() if event.statement else None,
                detail=explain_error(error).message,
                hint="Run the command again once the ledger can be written: it determines what is done and "
                "resumes.",
            ) from None


def progress(
    journal: tuple[JournalEntry, ...], steps: tuple[Step, ...], migration: Migration
) -> JournalProgress:
    """Return the progress of these statements according to the journal.

    Raise PartiallyApplied (AIG-H001) if a statement that is done was changed in the file or removed from it.
    """
    done = {entry.statement: entry for entry in journal if entry.kind == "done"}
    for number in sorted(number for number in done if number is not None):
        step = steps[number - 1] if number <= len(steps) else None
        if step is None or done[number].sql != step.text:
            raise PartiallyApplied(
                f"Statement {number} of {migration.label} has already been run, and its text in the file has "
                "changed.",
                place=step.place() if step else None,
                detail=f"It was: {done[number].sql}",
                hint="Restore that statement; only statements that have not been run may change.",
            )
    following = next((number for number in range(1, len(steps) + 1) if number not in done), len(steps) + 1)
    started = None
    for entry in journal:
        if entry.statement == following and entry.kind == "intent":
            started = StartedStatement(entry.sql or "", entry.detail)
    return JournalProgress(following, started)
