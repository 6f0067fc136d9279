"""One run of the migrator: its two connections and the migrations it has committed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

import psycopg
from psycopg import Connection

from aigym_db.database import ledger, locks
from aigym_db.database.migration_session import search_path
from aigym_db.database.queries import query
from aigym_db.errors import AigymError, ConnectionLost, Interrupted
from aigym_db.migrate.observer import Finished, Notice, Progress, Waiting
from aigym_db.migrate.session.ledger_failure import row_suppressed
from aigym_db.migrate.session.message import Message
from aigym_db.migrate.session.reconnect import RunContext, ServerAway, all_ended, has_ended
from aigym_db.migrate.session.session_settings import RESET_ALL
from aigym_db.migrate.session.wire import Wire
from aigym_db.model.migration import Direction, Migration, Part, Plan

_UNLOCK = "select pg_advisory_unlock_all()"


class CurrentAttempt(Protocol):
    """The interface of the attempt in progress that a run uses."""

    kept: str
    notice: Callable[[Notice, int], None]
    look: Callable[[], None]

    def blocked(self, blockers: tuple[locks.Blocker, ...], waited_s: float) -> None:
        """Report blocking sessions; see `MigrationAttempt.blocked`."""


class Run:
    """The state of one run. `begin.begin` creates it."""

    def __init__(
        self,
        connection: Connection[Any],
        second: Connection[Any],
        context: RunContext,
    ) -> None:
        self.options, self.observer, self.stop = context.options, context.observer, context.stop
        self.session = Wire(connection, self.stop, self._look, self._notice)
        self.second = second
        """A second connection, mostly idle: it holds the runner lock and queries the blocking sessions."""
        self.finished: list[Finished] = []
        """The migrations committed so far, over all reconnections."""
        self._plan = Plan("up", (), "")
        self._attempt: CurrentAttempt | None = None
        self._failure_recorded = False
        self._current: Migration | None = None
        """The migration started last."""
        self._started: set[int] = set()
        """The versions started so far."""
        self._loose = False
        """True if the last commit may not have reached the disk yet."""
        expected = {"role": connection.info.user, "search_path": search_path(self.options.session)}
        self.session_state, self.guard, self.guard_all = (
            psycopg.ClientCursor(connection).mogrify(query(f"locks/{name}"), expected)
            for name in ("session_state", "guard", "guard_all")
        )
        """The query that describes session state, and two quick checks that fail if there is any: `guard`
        after definitions, `guard_all` after statements that may have run code."""

    def start(self, plan: Plan, finished: list[Finished]) -> None:
        """Set the plan of this run and record its start; an empty plan is not recorded.

        `finished` contains the migrations already committed; the run appends to it. Raise LockTimeout
        (AIG-S004) if the ledger is locked, StatementFailed if a trigger suppresses the ledger row, and what
        `check` raises.
        """
        self._plan, self.finished = plan, finished
        self.check()
        versions = [migration.version for migration in plan.migrations]
        if not versions:
            return
        started = ledger.Event(
            "start",
            direction=plan.direction,
            detail={"versions": versions},
            git_commit=self.options.git_commit,
            scope=self.options.scope,
        )
        try:
            self.record(started)
        except psycopg.errors.LockNotAvailable:
            raise locks.held_by_others(self.second, ledger.EVENTS) from None
        except psycopg.errors.InvalidTextRepresentation:
            raise row_suppressed("The start of the run", "no migration was started") from None

    def enter(self, attempt: CurrentAttempt) -> None:
        """Direct notices and blocking sessions to an attempt."""
        self._attempt = attempt

    def leave(self) -> None:
        """Discard notices until the next attempt."""
        self._attempt = None

    def flush(self) -> None:
        """Make every commit of the run durable."""
        if self._loose:
            with suppress(psycopg.Error):
                self.second.execute(query("ledger/flush"))

    def started(self, migration: Migration) -> None:
        """Report that a migration starts, once for all tries."""
        self._current = migration
        if migration.version not in self._started:
            self._started.add(migration.version)
            self.observer.started(migration)

    def finish(self, finished: Finished, *, durable: bool = True) -> None:
        """Report a committed migration; `durable` if the commit waited for the disk."""
        self._loose = not durable
        self.finished.append(finished)
        self.observer.finished(finished)

    def check(self, migration: Migration | None = None) -> None:
        """Raise Interrupted (AIG-I001) after a signal, ServerAway if both sessions have ended, and
        ConnectionLost (AIG-S003) if one of them has.

        No statement may be in progress. `migration` is the one about to start.
        """
        if self.stop.signal:
            error = self.interrupted(migration)
            if migration is not None:
                self.failed(migration, self._plan.direction, error, None)
            raise error
        first = self.session.connection
        if not (has_ended(self.second) or has_ended(first)):
            return
        if all_ended(self.second, first):
            raise ServerAway(self.lost("No statement was in progress, and the server did not come back."))
        role = "holds the runner lock" if has_ended(self.second) else "executes the migrations"
        raise self.lost(f"The session that {role} has ended; no further migration was started.")

    def interrupted(self, migration: Migration | None, outcome: str = "") -> Interrupted:
        """Return the error for a run stopped by a signal; `outcome` is a sentence about the migration."""
        where = (
            f" {'within' if self._kept() else 'before'} {migration.label}"
            if migration and not outcome
            else ""
        )
        return Interrupted(
            f"Stopped by {self.stop.signal}{where}.{' ' if outcome else ''}{outcome}",
            detail=f"Committed before that: {self._committed()}.",
            hint="Run the command again to continue.",
        )

    def lost(self, outcome: str, reason: str = "") -> ConnectionLost:
        """Return the error for a lost connection.

        `outcome` is a sentence about the migration, `reason` the server's last error message.
        """
        perhaps = " If the server crashed, the most recent commits may be lost." if self._loose else ""
        committed = f"Committed before that: {self._committed()}.{perhaps}"
        return ConnectionLost(
            f"The connection to the server was lost. {outcome}",
            detail="\n".join(text for text in (reason, committed) if text),
            hint="Run the command again once the server is available; it resumes where this run ended.",
        )

    def _committed(self) -> str:
        """Return a list of the committed migrations and statements."""
        versions = [f"{done.migration.version:04d}" for done in self.finished]
        return ", ".join([*versions, self._kept()] if self._kept() else versions) or "nothing"

    def _kept(self) -> str:
        return self._attempt.kept if self._attempt else ""

    def event(
        self,
        kind: ledger.Kind,
        migration: Migration,
        direction: Direction,
        statement: int | None = None,
        **more: Any,
    ) -> ledger.Event:
        """Return a ledger event of a migration, or of one of its statements."""
        return ledger.Event(
            kind,
            migration.version,
            migration.name,
            ledger.checksum(migration),
            direction,
            statement,
            git_commit=self.options.git_commit,
            scope=self.options.scope,
            **more,
        )

    def outcome(
        self, migration: Migration, direction: Direction, part: Part, lost_ms: float, **more: Any
    ) -> ledger.Event:
        """Return the event that marks a migration as applied or rolled back."""
        return self.event(
            "apply" if direction == "up" else "rollback",
            migration,
            direction,
            sql=part.source.text,
            lock_wait_ms=round(lost_ms, 3),
            **{"detail": self.detail(migration), **more},
        )

    def record(self, event: ledger.Event) -> None:
        """Record an event in a transaction of its own."""
        ledger.record(self.second, event)

    def failed(
        self, migration: Migration, direction: Direction, error: AigymError, statement: int | None
    ) -> None:
        """Record that a migration failed, if the ledger is still reachable.

        A run ends at its first failure, so only the first call has an effect. Later ones concern the same
        failure, whether or not the error has been amended in between.
        """
        if self._failure_recorded:
            return
        self._failure_recorded = True
        with suppress(psycopg.Error):
            description = {"code": error.code, "message": error.message, "detail": error.detail}
            self.record(self.event("fail", migration, direction, statement, detail=description))

    def detail(self, migration: Migration) -> dict[str, Any]:
        """Return the ledger detail of a migration: empty unless it was applied out of order."""
        after = self._plan.late.get(migration.version)
        return {} if after is None else {"out_of_order": True, "after": after}

    def role(self, part: Part) -> str | None:
        """Return the role that executes a part; None for the role of the connection."""
        role = part.role or self.options.owner
        return None if role in (None, "none") else role

    def reset_session(self) -> None:
        """Reset all session state: settings, role, cursors, temporary objects, prepared statements, locks."""
        self.session.roll_back()
        for statement in (
            "set statement_timeout = 0",
            "reset session authorization",
            "reset role",
            RESET_ALL,
            "close all",
            "unlisten *",
            "discard temp",
            "deallocate all",
            _UNLOCK,
        ):
            self.session.send(Message.of(statement))

    def lock_lost(self) -> bool:
        """True if the session that holds the runner lock has ended."""
        return has_ended(self.second)

    def _look(self, since_s: float) -> None:
        """Query the blocking sessions while a statement runs; cancel it if the runner lock is lost."""
        if self.lock_lost():
            self.session.cancel()
            return
        attempt = self._attempt
        with suppress(psycopg.Error):
            if attempt is not None:
                attempt.look()
            reported = _progress(self.second, self.session.pid)
            if reported is not None and self._current is not None:
                self.observer.progress(self._current, reported)
            blockers = locks.blockers(self.second, self.session.pid)
            if blockers and attempt is not None:
                attempt.blocked(blockers, since_s)
            elif blockers:
                self.observer.waiting(Waiting("lock", since_s, blockers=blockers))

    def _notice(self, notice: Notice, done: int) -> None:
        if self._attempt is not None:
            self._attempt.notice(notice, done)


def _progress(connection: Connection[Any], pid: int) -> Progress | None:
    """Return the progress of the statement that the session `pid` runs; None if it is not reported.

    PostgreSQL reports it for CREATE INDEX, REINDEX, VACUUM, CLUSTER, ANALYZE and COPY.
    """
    row = connection.execute(query("locks/progress"), {"pid": pid}).fetchone()
    return None if row is None else Progress(*row)
