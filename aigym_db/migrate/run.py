"""One run of the migrator: two connections, both locks, and what it has done so far."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.pq import ConnStatus

from aigym_db.database import ledger, locks
from aigym_db.database.connect import connect
from aigym_db.database.queries import query
from aigym_db.errors import AigymError, ConnectionLost, Interrupted, ReadOnly
from aigym_db.migrate.contract import SEARCH_PATH
from aigym_db.migrate.message import Message
from aigym_db.migrate.observer import Finished, Observer, Waiting
from aigym_db.migrate.options import Options
from aigym_db.migrate.session import Session
from aigym_db.migrate.stop import Stop
from aigym_db.model.migration import Direction, Migration, Part

_UNLOCK = "select pg_advisory_unlock_all()"


class Run:
    """What the parts of one run share. Make it with `begin`."""

    def __init__(
        self,
        connection: Connection[Any],
        second: Connection[Any],
        options: Options,
        observer: Observer,
        stop: Stop,
    ) -> None:
        self.session = Session(connection, stop, self._look)
        self.second = second
        """Idle but for short questions: it holds the runner's lock and asks who is in the way."""
        self.options = options
        self.observer = observer
        self.stop = stop
        self.finished: list[Finished] = []
        self.blockers: tuple[locks.Blocker, ...] = ()
        """Who was last seen to block the current statement."""
        self.watch: Callable[[], None] = lambda: None
        """Called before it is asked who is in the way."""
        self.left = ""
        """What the last file left behind in the session, in words."""
        expected = {"role": connection.info.user, "search_path": SEARCH_PATH}
        self.leftovers, self.leftovers_quick, self.guard = (
            psycopg.ClientCursor(connection).mogrify(query(f"locks/{name}"), expected)
            for name in ("leftovers", "leftovers_quick", "guard")
        )
        """The question what a file left behind in the session, the part of it that costs next to nothing, and
        the same as a statement that fails when anything is left."""

    def tell(self, finished: Finished) -> None:
        """Says that a migration is done, after it was committed."""
        self.finished.append(finished)
        self.observer.finished(finished)

    def check(self, migration: Migration | None = None) -> None:
        """Nothing, while nobody asked to stop and the lock is still ours."""
        if self.stop.signal:
            raise self.interrupted(migration)
        if self.lock_lost():
            raise self.lost("The session that holds the runner's lock ended, so nothing more was begun.")

    def interrupted(self, migration: Migration | None, what: str = "") -> Interrupted:
        """The refusal to go on after a signal."""
        before = ", ".join(f"{done.migration.version:04d}" for done in self.finished) or "nothing"
        where = f" before {migration.label}" if migration and not what else ""
        return Interrupted(
            f"Stopped by {self.stop.signal}{where}.{' ' if what else ''}{what}",
            detail=f"Done before that: {before}.",
            hint="Run the command again to go on.",
        )

    def lost(self, what: str, said: str = "") -> ConnectionLost:
        """The refusal to go on without a server."""
        before = ", ".join(f"{done.migration.version:04d}" for done in self.finished) or "nothing"
        return ConnectionLost(
            f"The connection to the server was lost. {what}",
            detail="\n".join(text for text in (said, f"Done before that: {before}.") if text),
            hint="Run the command again once the server answers; it goes on where this run ended.",
        )

    def event(self, event: ledger.Event) -> None:
        """Writes an event of its own, apart from any migration's transaction."""
        ledger.record(self.second, event)

    def failed(
        self, migration: Migration, direction: Direction, refusal: AigymError, statement: int | None
    ) -> None:
        """Writes down that a migration failed, if that is still possible."""
        with suppress(psycopg.Error):
            self.event(
                ledger.Event(
                    "fail",
                    migration.version,
                    migration.name,
                    ledger.checksum(migration),
                    direction,
                    statement,
                    detail={"code": refusal.code, "message": refusal.message, "detail": refusal.detail},
                    git_commit=self.options.git_commit,
                )
            )

    def role(self, part: Part) -> str | None:
        """The role a part acts as; None for the one that connected."""
        role = part.role or self.options.owner
        return None if role in (None, "none") else role

    def clean(self) -> None:
        """Gives the session back as it was, whatever a file left in it."""
        for statement in (
            "rollback",
            "reset role",
            "reset search_path",
            "discard temp",
            "deallocate all",
            _UNLOCK,
        ):
            message = Message()
            message.add(statement)
            self.session.send(message)

    def lock_lost(self) -> bool:
        """Whether the session that holds the runner's lock has ended."""
        # Without a round trip: a server that ends an idle session says so, then closes the socket.
        pgconn = self.second.pgconn
        with suppress(psycopg.Error):
            while pgconn.status == ConnStatus.OK and select.select([pgconn.socket], [], [], 0)[0]:
                pgconn.consume_input()
                pgconn.is_busy()
        return self.second.closed or self.second.pgconn.status != ConnStatus.OK

    def _look(self, since_s: float) -> None:
        """Asks, while a statement runs, whom it waits for; stops it when another runner could come in."""
        if self.lock_lost():
            self.session.cancel()
            return
        with suppress(psycopg.Error):
            self.watch()
            seen = locks.blockers(self.second, self.session.pid)
            if seen:
                self.blockers = seen
                self.observer.waiting(Waiting("lock", since_s, blockers=seen))


@contextmanager
def begin(
    connection: Connection[Any], dsn: str, options: Options, observer: Observer, stop: Stop
) -> Iterator[Run]:
    """A run that has both locks and a ledger to write to, and that gives them back.

    Raises ReadOnly (AIG-S005) before anything happens, Locked (AIG-L001), Interrupted (AIG-I001).
    """
    _require_rights(connection)
    second = connect(dsn, autocommit=True)
    try:
        run = Run(connection, second, options, observer, stop)
        began = time.monotonic()
        _hold(run, second, 1, "runner")
        _hold(run, connection, 2, "orphan", began)
        ledger.create(connection)
        yield run
    finally:
        second.close()


def _hold(
    run: Run, connection: Connection[Any], part: locks.LockPart, reason: Any, began: float | None = None
) -> None:
    def waiting(holders: tuple[locks.Holder, ...], waited_s: float) -> None:
        if run.stop.signal:
            raise run.interrupted(None)
        run.observer.waiting(Waiting(reason, waited_s, holders=holders))

    wait_s = run.options.lock_wait_s
    if wait_s is not None and part == 2:
        # A session that has lost its client is ended by the server within seconds.
        wait_s = max(wait_s, ORPHAN_S)
    locks.hold(connection, part, wait_s=wait_s, waiting=waiting, pause=run.stop.pause)


ORPHAN_S = 5.0
"""How long to wait at least for the server to end the session of a runner that was killed."""


def _require_rights(connection: Connection[Any]) -> None:
    rights = ledger.rights(connection)
    if rights.standby:
        raise ReadOnly(
            "The server is a standby, and migrations run on the primary only.",
            hint="Connect to the primary, as with `target_session_attrs=read-write`.",
        )
    if rights.read_only:
        raise ReadOnly(
            f"Transactions of {rights.who} are read-only here (default_transaction_read_only).",
            hint="Connect with a role that may write.",
        )
    if not rights.may_write:
        raise ReadOnly(
            f"The role {rights.who} may not write to the ledger, schema aigym_db.",
            hint="Connect as the role that made the ledger, or as a member of it.",
        )
