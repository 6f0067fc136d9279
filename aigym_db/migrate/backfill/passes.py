"""The progress of a backfill, read from the ledger's journal.

A pass begins with an `intent` that fixes its last page, and each batch writes a `done` in its own
transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aigym_db.database.ledger import JournalEntry
from aigym_db.errors import PartiallyApplied
from aigym_db.migrate.step import Step
from aigym_db.model.migration import Migration
from aigym_db.model.wording import counted

MIN_PASSES = 3
"""The number of passes that are made while rows are left, whether or not their number falls."""
MAX_PASSES = 10
"""Maximum number of passes."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over the pages of a table, from the first to the last one at the pass's begin."""

    number: int
    """From 1."""
    pages: Mapping[int, int]
    """Pages of the table or of each partition, by oid."""
    files: Mapping[int, int]
    """The relfilenode of each; a rewrite changes it, and with it the rows' pages."""
    left: int | None = None
    """The number of rows that matched the condition after the pass before; None for the first pass."""
    next: int = 0
    """The first page not processed yet."""

    def needs_another(self, left: int) -> bool:
        """Return True if another pass is necessary; `left` rows match the condition after this one.

        A pass misses rows that concurrent updates move. From pass MIN_PASSES on, the number of rows left has
        to fall with each pass: otherwise other sessions write such rows as fast as passes change them, or a
        trigger keeps the rows from being changed.
        """
        if not left or self.number == MAX_PASSES:
            return False
        return self.number < MIN_PASSES or self.left is None or left < self.left

    @property
    def until(self) -> int:
        """The page to stop before; at least 1, so that an invalid statement fails on an empty table, too."""
        return max(1, *self.pages.values()) if self.pages else 1

    @property
    def total(self) -> int:
        """Number of pages of all tables."""
        return sum(self.pages.values())

    @property
    def done(self) -> int:
        """Number of processed pages of all tables."""
        return sum(min(pages, self.next) for pages in self.pages.values())

    def detail(self) -> dict[str, Any]:
        """Return the journal entry's detail."""
        return {
            "pass": self.number,
            "until": self.until,
            "left": self.left,
            "tables": [[table, self.pages[table], self.files[table]] for table in self.pages],
        }


@dataclass(frozen=True, slots=True)
class Known:
    """The progress of earlier runs."""

    current: Pass | None = None
    """The pass to resume; None if there is none."""
    rows: int = 0
    batches: int = 0


def known(
    journal: tuple[JournalEntry, ...], step: Step, migration: Migration, *, anew: bool = False
) -> Known:
    """Return the progress of this statement; with `anew`, a changed statement starts again.

    Raise PartiallyApplied (AIG-H001) if rows were changed by a different statement.
    """
    begun, current, rows, batches = None, None, 0, 0
    for entry in journal:
        if entry.kind == "intent" and "tables" in entry.detail:
            tables = entry.detail["tables"]
            begun = entry.sql
            current = Pass(
                entry.detail["pass"],
                {table: pages for table, pages, _ in tables},
                {table: file for table, _, file in tables},
                entry.detail.get("left"),
            )
        elif entry.kind == "done" and current is not None and "until" in entry.detail:
            current = replace(current, next=entry.detail["until"])
            rows, batches = rows + entry.detail["rows"], batches + 1
        elif entry.kind == "done":
            raise _changed(step, migration, "it ran statement by statement, not in batches", entry.sql)
    if begun != step.text:
        if rows and not anew:
            raise _changed(step, migration, f"it has changed {counted(rows, 'row')}", begun)
        current = None
    return Known(current, rows, batches)


def _changed(step: Step, migration: Migration, progress: str, before: str | None) -> PartiallyApplied:
    return PartiallyApplied(
        f"{migration.label} was edited after it was partially applied: {progress}.",
        place=step.place(),
        detail=f"Statement in the ledger: {before}",
        hint="Restore the statement, or run again with `--resolve again` to process the whole table with "
        "the new one.",
    )
