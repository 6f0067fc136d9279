"""How many pages the next batch of a backfill takes, and how long to rest before it."""

from __future__ import annotations

from dataclasses import dataclass, field

TARGET_MS = 250.0
"""How long a batch is to take: for that long its rows are locked."""
NARROW_ROWS = 200.0
"""How many rows a page of a table that nobody has analysed is taken to hold: about as many as fit."""
REST = 0.2
"""The part of a batch's time that is left to the application, autovacuum and the checkpointer behind it."""
REST_AFTER_WAITERS = 1.0
"""The same, behind a batch that somebody had to wait for."""
LONGEST_REST_S = 1.0


@dataclass(slots=True)
class BatchSize:
    """Goes slower when batches take long, meet locks or keep others waiting, and faster again when not."""

    batch_rows: int
    rows_a_page: float = NARROW_ROWS
    """How many rows a page holds: not those to change, of which there may be few for long and then many."""
    pages: int = field(init=False)
    """How many the next batch takes."""

    def __post_init__(self) -> None:
        self.pages = self._most()

    def done(self, pages: int, rows: int, took_ms: float, waited_for: bool) -> float:
        """Learns from a batch; how many seconds to rest before the next."""
        # A table is denser in some places, and an estimate may be old.
        self.rows_a_page = max(self.rows_a_page, rows / pages)
        grow = min(max(TARGET_MS / max(took_ms, 1.0), 0.25), 2.0)
        if waited_for:
            grow = min(grow, 0.5)
        self.pages = min(max(int(pages * grow), 1), self._most())
        rest = REST_AFTER_WAITERS if waited_for else REST
        return min(took_ms / 1000 * rest, LONGEST_REST_S)

    def refused(self) -> None:
        """Learns from a batch that met a lock: fewer rows meet fewer locks."""
        self.pages = max(self.pages // 4, 1)

    def _most(self) -> int:
        """As many pages as hold the rows of one batch."""
        return max(int(self.batch_rows / self.rows_a_page), 1)
