"""Wait while standbys lag behind a backfill."""

from __future__ import annotations

import time

from aigym_db.database.queries import query
from aigym_db.migrate.observer import Notice, Waiting
from aigym_db.migrate.session.migration_run import Run
from aigym_db.model.migration import Migration

LAG_S = 5.0
"""Maximum replication lag in time."""
LAG_BYTES = 256 * 1024 * 1024
"""Maximum replication lag in WAL: a standby that does not replay reports no lag in time."""
CHECK_INTERVAL_S = 0.25
"""Shortest interval between two checks."""


class Standbys:
    """The standbys that replicate from this server."""

    def __init__(self, run: Run, migration: Migration) -> None:
        self._run = run
        self._migration = migration
        self._checked_at = 0.0
        self._warned = False

    def wait(self) -> None:
        """Return when no standby exceeds the maximum lag. Raise Interrupted (AIG-I001) after a signal."""
        began = time.monotonic()
        if began - self._checked_at < CHECK_INTERVAL_S:
            return
        while self._lagging():
            self._run.observer.waiting(Waiting("standby", time.monotonic() - began))
            self._run.stop.pause(CHECK_INTERVAL_S)
            self._run.check(self._migration)

    def _lagging(self) -> bool:
        self._checked_at = time.monotonic()
        row = self._run.second.execute(query("migrate/backfill_lag")).fetchone()
        assert row is not None
        lag_s, lag_bytes, hidden = row
        if hidden and not self._warned:
            self._warned = True
            notice = Notice(
                "INFO",
                f"{self._migration.label}: permission denied for the replication lag as "
                f"{self._run.second.info.user}; the backfill does not wait for standbys.",
                hint=f"Grant pg_read_all_stats to {self._run.second.info.user}, or monitor the lag yourself.",
            )
            self._run.observer.notice(self._migration, notice)
        return bool(lag_s > LAG_S or lag_bytes > LAG_BYTES)
