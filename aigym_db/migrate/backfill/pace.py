"""The number of pages of the next backfill batch, and the pause before it."""

from __future__ import annotations

from dataclasses import dataclass, field

TARGET_MS = 250.0
"""Target duration of a batch; its rows are locked for that time."""
NARROW_ROWS = 200.0
"""Assumed rows per page of a table without statistics: about as many as fit."""
REST = 0.2
"""Pause after a batch (fraction of its duration), for the application, autovacuum and checkpoints."""
REST_AFTER_WAITERS = 1.0
"""The same fraction after a batch that another session waited for."""
LONGEST_REST_S = 1.0


@dataclass(slots=True)
class BatchSize:
    """The batch size: shrinks after slow batches, lock timeouts and waiting sessions, and grows otherwise."""

    batch_rows: int
    rows_a_page: float = NARROW_ROWS
    """Rows per page, whether they match or not: matching rows are distributed unevenly."""
    pages: int = field(init=False)
    """Pages of the next batch."""

    def __post_init__(self) -> None:
        self.pages = self._most()

    def done(self, pages: int, rows: int, took_ms: float, waited_for: bool) -> float:
        """Adapt to a committed batch. Return the pause before the next one, in seconds."""
        # Density varies within a table, and estimates may be outdated.
        self.rows_a_page = max(self.rows_a_page, rows / pages)
        grow = min(max(TARGET_MS / max(took_ms, 1.0), 0.25), 2.0)
        if waited_for:
            grow = min(grow, 0.5)
        self.pages = min(max(int(pages * grow), 1), self._most())
        rest = REST_AFTER_WAITERS if waited_for else REST
        return min(took_ms / 1000 * rest, LONGEST_REST_S)

    def lock_timeout(self) -> None:
        """Adapt to a batch that timed out on a lock: fewer rows meet fewer locks."""
        self.pages = max(self.pages // 4, 1)

    def _most(self) -> int:
        """Return the number of pages that hold the rows of one batch."""
        return max(int(self.batch_rows / self.rows_a_page), 1)
