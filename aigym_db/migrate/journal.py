"""How far a migration outside a transaction came, from what the ledger's journal says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aigym_db.database.ledger import Journalled
from aigym_db.errors import Halfway
from aigym_db.migrate.preflight import Step
from aigym_db.model.migration import Migration


@dataclass(frozen=True, slots=True)
class Begun:
    """A statement that a run was about to send."""

    sql: str
    detail: Mapping[str, Any]

    @property
    def tree(self) -> Any:
        """Its parse tree, of the text that was sent, which may not be the file's any more."""
        from pglast.parser import parse_sql

        return parse_sql(self.sql)[0].stmt


@dataclass(frozen=True, slots=True)
class Progress:
    """Where to go on."""

    next: int
    """The first statement, from 1, that is not done."""
    begun: Begun | None = None
    """What was last begun of it, whatever became of that."""
    open: Begun | None = None
    """The same, when nobody saw how it ended."""

    @property
    def touched(self) -> bool:
        return self.begun is not None


def progress(journal: tuple[Journalled, ...], steps: tuple[Step, ...], migration: Migration) -> Progress:
    """What the journal says of these statements.

    Raises Halfway (AIG-H001) when a statement that ran is not in the file any more as it was.
    """
    done = {entry.statement: entry for entry in journal if entry.kind == "done"}
    for number in sorted(number for number in done if number is not None):
        step = steps[number - 1] if number <= len(steps) else None
        if step is None or done[number].sql != step.text:
            raise Halfway(
                f"Statement {number} of {migration.label} has been run already, and the file no longer "
                "says the same.",
                place=step.place() if step else None,
                detail=f"It was: {done[number].sql}",
                hint="Restore that statement as it was; only statements that did not run yet may still "
                "change.",
            )
    following = next((number for number in range(1, len(steps) + 1) if number not in done), len(steps) + 1)
    begun, unanswered = None, None
    for entry in journal:
        if entry.statement != following:
            continue
        if entry.kind == "intent":
            begun = unanswered = Begun(entry.sql or "", entry.detail)
        if entry.kind == "fail" and entry.detail.get("code") not in UNCERTAIN:
            unanswered = None
    return Progress(following, begun, unanswered)


UNCERTAIN = ("AIG-S003",)
"""Failures after which the statement may still have happened: the connection was lost."""
