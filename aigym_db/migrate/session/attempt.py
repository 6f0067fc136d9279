"""One attempt to run a migration, or the migrations of one message: its notices, its blocking sessions and
the session state it leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aigym_db.database import locks
from aigym_db.errors import SessionStateChanged
from aigym_db.migrate.observer import Notice, Waiting
from aigym_db.migrate.session import failure
from aigym_db.migrate.session.message import Message
from aigym_db.migrate.session.migration_run import Run
from aigym_db.migrate.session.session_settings import RESET_ALL
from aigym_db.migrate.session.wire import LOOK_S, Reply
from aigym_db.model.migration import Migration, Part
from aigym_db.model.source import Place


def _nothing() -> None:
    pass


class MigrationAttempt:
    """The state of one attempt, a context manager.

    Raise SessionStateChanged (AIG-G007) at the end of the block if a file left session state.
    """

    def __init__(
        self,
        run: Run,
        migration: Migration,
        notice: Callable[[Notice, int], None] | None = None,
    ) -> None:
        self.run = run
        self.migration = migration
        """The migration whose statements are being sent."""
        self.notice = notice or self._notice
        """Receives each notice, with the number of statements of the message completed before it."""
        self.look: Callable[[], None] = _nothing
        """Called periodically while the server is busy, before the blocking sessions are queried."""
        self.kept = ""
        """A description of the committed part of a non-transactional migration that has not finished."""
        self.blockers: tuple[locks.Blocker, ...] = ()
        """The most recent sessions that blocked the message sent under `yielding`."""
        self.gave_way = False
        """True if the message sent under `yielding` was cancelled because other sessions waited for it."""
        self._stall_ms: int | None = None
        self._left: dict[int, tuple[str, Place]] = {}
        """By version, the message and the place of the error for the session state that a migration left."""

    def __enter__(self) -> MigrationAttempt:
        self.run.enter(self)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.run.leave()
        if kind is None:
            self._require_session_state()

    def move_to(self, migration: Migration) -> None:
        """Attribute the following notices to this migration."""
        self.migration = migration

    def keep(self, kept: str) -> None:
        """Set the description of the part that stays committed if the attempt fails now."""
        self.kept = kept

    @contextmanager
    def looking(self, look: Callable[[], None]) -> Iterator[None]:
        """Call `look` periodically while the server is busy, for the duration of the block."""
        outer, self.look = self.look, look
        try:
            yield
        finally:
            self.look = outer

    @contextmanager
    def yielding(self, stall_ms: int | None) -> Iterator[None]:
        """Cancel a message that waits for a lock while other sessions have waited `stall_ms` for its locks.

        None sets no limit.
        """
        outer_ms, self._stall_ms = self._stall_ms, stall_ms
        self.gave_way, self.blockers = False, ()
        try:
            yield
        finally:
            self._stall_ms = outer_ms

    def blocked(self, blockers: tuple[locks.Blocker, ...], waited_s: float) -> None:
        """Store and report the sessions that have blocked the current statement for `waited_s` seconds.

        Cancel the statement if other sessions have waited too long for its locks.
        """
        self.blockers = blockers
        self.run.observer.waiting(Waiting("lock", waited_s, blockers=blockers))
        self._give_way()

    def inspect(
        self, reply: Reply, number: int, migration: Migration, part: Part, first: Migration | None = None
    ) -> None:
        """Read the session state of a file from result `number` of a reply.

        `first` is the first migration since the last inspection, if there were several. A later state of the
        same migration replaces the earlier one: a non-transactional file is inspected after each statement.
        The end of the attempt raises for the first migration that left any.
        """
        state = self._session_state(reply, number)
        if not state:
            self._left.pop(migration.version, None)
        else:
            subject = f"{first.label} to {migration.label} are done, but one of them" if first else ""
            message = f"{subject or f'{migration.label} is done, but it'} left session state: {state}."
            self._left[migration.version] = message, failure.marker(part)

    def _require_session_state(self) -> None:
        """Raise SessionStateChanged (AIG-G007) if the file left session state; the session is reset first.

        The migration stays applied: transaction-local state ends only at the commit, so the check follows it.
        """
        if not self._left:
            return
        self.run.reset_session()
        message, place = next(iter(self._left.values()))
        raise SessionStateChanged(
            message,
            place=place,
            hint="Use `set local`, `on commit drop` and `pg_advisory_xact_lock`. The session was reset: run "
            "the command again to continue.",
        )

    def _session_state(self, reply: Reply, number: int) -> str:
        """Return a description of the session state; empty if there is none."""
        run = self.run
        state = _value(reply, number)
        # After a signal the state stays unknown: the run ends here, so no other migration uses the session.
        if state is None and not (reply.lost or reply.cancelled or run.lock_lost()):
            # A quick check returns no text, or the cancel request for the previous transaction cancelled it.
            # The server's own settings may have changed: the quick checks have to be prepared again.
            run.session.forget_prepared()
            full_check = run.session.send(Message.of(run.session_state, RESET_ALL))
            state = _value(full_check, 0)
            if (
                state is None
                and full_check.failure is not None
                and not (full_check.lost or full_check.cancelled)
            ):
                reason = full_check.failure.diag.message_primary
                return f"unknown, because the query for it failed ({reason})"
        return state or ""

    def _notice(self, notice: Notice, _: int) -> None:
        self.run.observer.notice(self.migration, notice)

    def _give_way(self) -> None:
        # lock_timeout limits each wait separately: a transaction that waits for several locks in turn
        # would block other sessions for the sum.
        if self._stall_ms is None or self.gave_way:
            return
        run = self.run
        if locks.stalled_ms(run.second, run.session.pid) > max(self._stall_ms - LOOK_S * 1000, 0):
            self.gave_way = True
            run.session.cancel()


def _value(reply: Reply, number: int) -> str | None:
    return (reply.results[number].get_value(0, 0) or b"").decode() if len(reply.results) > number else None
