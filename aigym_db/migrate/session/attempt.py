"""One run of the migrator: its two connections, and what it has done so far."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import Connection

from aigym_db.database import ledger, locks
from aigym_db.database.migration_session import search_path
from aigym_db.database.queries import query
from aigym_db.errors import AigymError, ConnectionLost, Interrupted
from aigym_db.migrate.observer import Finished, Waiting
from aigym_db.migrate.session.context import RunContext
from aigym_db.migrate.session.message import Message
from aigym_db.migrate.session.progress import progress
from aigym_db.migrate.session.reconnect import ServerAway, all_gone, gone
from aigym_db.migrate.session.session_settings import SET_BACK
from aigym_db.migrate.session.wire import LOOK_S, Wire
from aigym_db.model.migration import Direction, Migration, Part

_UNLOCK = "select pg_advisory_unlock_all()"


class Run:
    """What the parts of one run share. Make it with `begin.begin`."""

    def __init__(
        self,
        connection: Connection[Any],
        second: Connection[Any],
        context: RunContext,
    ) -> None:
        self.options, self.observer, self.stop = context.options, context.observer, context.stop
        self.session = Wire(connection, self.stop, self._look)
        self.second = second
        """Idle but for short questions: it holds the runner's lock and asks who is in the way."""
        self.finished: list[Finished] = []
        self.direction: Direction = "up"
        self._noted: AigymError | None = None
        """The last refusal that is written down."""
        self.blockers: tuple[locks.Blocker, ...] = ()
        """Who was last seen to block the current statement."""
        self.stall_ms: int | None = None
        """For how long others may wait behind a transaction that waits itself; None without limit."""
        self.gave_way = False
        """Whether the last message was cancelled because others had waited that long."""
        self.watch: Callable[[], None] = lambda: None
        """Called before it is asked who is in the way."""
        self.current: Migration | None = None
        """What was last begun."""
        self._begun: set[int] = set()
        """The versions of what was begun."""
        self.kept = ""
        """What is done of a file outside a transaction that is not finished, in words."""
        self.loose = False
        """Whether the last commit may not have reached the disk yet."""
        self.left = ""
        """What the last file left behind in the session, in words."""
        self.late: Mapping[int, int] = {}
        """The migrations that run out of order, by version, and the newest that is applied."""
        expected = {"role": connection.info.user, "search_path": search_path(self.options.session)}
        self.leftovers, self.guard, self.guard_all = (
            psycopg.ClientCursor(connection).mogrify(query(f"locks/{name}"), expected)
            for name in ("leftovers", "guard", "guard_all")
        )
        """The question what a file left behind in the session, and two that are quicker and fail when there
        is something: one behind definitions, one behind what may have run code."""

    def started(self, migration: Migration) -> None:
        """Says that a migration is about to be sent; once, however often it is tried."""
        self.current = migration
        if migration.version not in self._begun:
            self._begun.add(migration.version)
            self.observer.started(migration)

    def tell(self, finished: Finished, *, durable: bool = True) -> None:
        """Says that a migration is done, after it was committed; `durable` when that waited for the disk."""
        self.loose = not durable
        self.finished.append(finished)
        self.observer.finished(finished)

    def check(self, migration: Migration | None = None) -> None:
        """Nothing, while nobody asked to stop and both sessions are there; nothing of ours may be under way.

        Raises ServerAway when they ended together, and ConnectionLost (AIG-S003) when somebody ended one.
        """
        if self.stop.signal:
            refusal = self.interrupted(migration)
            if migration is not None:
                self.failed(migration, self.direction, refusal, None)
            raise refusal
        first = self.session.connection
        if not (gone(self.second) or gone(first)):
            return
        if all_gone(self.second, first):
            raise ServerAway(self.lost("Nothing was under way, and it did not come back."))
        which = "holds the runner's lock" if gone(self.second) else "migrates"
        raise self.lost(f"The session that {which} ended, so nothing more was begun.")

    def interrupted(self, migration: Migration | None, what: str = "") -> Interrupted:
        """The refusal to go on after a signal."""
        where = f" {'within' if self.kept else 'before'} {migration.label}" if migration and not what else ""
        return Interrupted(
            f"Stopped by {self.stop.signal}{where}.{' ' if what else ''}{what}",
            detail=f"Done before that: {self._done()}.",
            hint="Run the command again to go on.",
        )

    def lost(self, what: str, said: str = "") -> ConnectionLost:
        """The refusal to go on without a server."""
        perhaps = " A server that crashed may have lost the last of it." if self.loose else ""
        return ConnectionLost(
            f"The connection to the server was lost. {what}",
            detail="\n".join(text for text in (said, f"Done before that: {self._done()}.{perhaps}") if text),
            hint="Run the command again once the server answers; it goes on where this run ended.",
        )

    def _done(self) -> str:
        """What is committed, whatever becomes of the rest."""
        found = [f"{done.migration.version:04d}" for done in self.finished]
        return ", ".join([*found, self.kept] if self.kept else found) or "nothing"

    def event(
        self,
        kind: ledger.Kind,
        migration: Migration,
        direction: Direction,
        statement: int | None = None,
        **more: Any,
    ) -> ledger.Event:
        """An event of a migration, or of one of its statements, that is to be written."""
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
        """The event that makes a migration an applied one, or one that is undone."""
        return self.event(
            "apply" if direction == "up" else "revert",
            migration,
            direction,
            sql=part.source.text,
            lock_wait_ms=round(lost_ms, 3),
            **{"detail": self.detail(migration), **more},
        )

    def record(self, event: ledger.Event) -> None:
        """Writes an event by itself, apart from any migration's transaction."""
        ledger.record(self.second, event)

    def failed(
        self, migration: Migration, direction: Direction, refusal: AigymError, statement: int | None
    ) -> None:
        """Writes down that a migration failed, if that is still possible; the same refusal only once."""
        if refusal is self._noted:
            return
        self._noted = refusal
        with suppress(psycopg.Error):
            said = {"code": refusal.code, "message": refusal.message, "detail": refusal.detail}
            self.record(self.event("fail", migration, direction, statement, detail=said))

    def detail(self, migration: Migration) -> dict[str, Any]:
        """What the ledger is to say of a migration beside that it was applied."""
        after = self.late.get(migration.version)
        return {} if after is None else {"out_of_order": True, "after": after}

    def role(self, part: Part) -> str | None:
        """The role a part acts as; None for the one that connected."""
        role = part.role or self.options.owner
        return None if role in (None, "none") else role

    def clean(self) -> None:
        """Gives the session back as it was, whatever a file left in it."""
        self.session.hear = lambda notice, done: None
        self.session.roll_back()
        for statement in (
            "set statement_timeout = 0",
            "reset session authorization",
            "reset role",
            SET_BACK,
            "close all",
            "unlisten *",
            "discard temp",
            "deallocate all",
            _UNLOCK,
        ):
            self.session.send(Message.of(statement))

    def lock_lost(self) -> bool:
        """Whether the session that holds the runner's lock has ended."""
        return gone(self.second)

    def _look(self, since_s: float) -> None:
        """Asks, while a statement runs, whom it waits for; stops it when another runner could come in."""
        if self.lock_lost():
            self.session.cancel()
            return
        with suppress(psycopg.Error):
            self.watch()
            made = progress(self.second, self.session.pid)
            if made is not None and self.current is not None:
                self.observer.progress(self.current, made)
            seen = locks.blockers(self.second, self.session.pid)
            if seen:
                self.blockers = seen
                self.observer.waiting(Waiting("lock", since_s, blockers=seen))
                self._give_way()

    @contextmanager
    def yielding(self, stall_ms: int) -> Iterator[None]:
        """A message that is cancelled when it waits while others have waited for so long behind it."""
        self.stall_ms, self.gave_way = stall_ms, False
        try:
            yield
        finally:
            self.stall_ms = None

    def _give_way(self) -> None:
        """Cancels a transaction that waits for a lock while others have waited long enough for those it has.

        lock_timeout is for each lock alone: a transaction that waits for one after the other would make
        others wait for the sum.
        """
        if self.stall_ms is None or self.gave_way:
            return
        if locks.stalled_ms(self.second, self.session.pid) > max(self.stall_ms - LOOK_S * 1000, 0):
            self.gave_way = True
            self.session.cancel()
