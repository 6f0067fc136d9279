"""A transaction sent as one message, and retried after a lock timeout."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aigym_db.database.locks import Blocker
from aigym_db.errors import AigymError
from aigym_db.migrate.observer import Waiting
from aigym_db.migrate.session import failure
from aigym_db.migrate.session.attempt import MigrationAttempt
from aigym_db.migrate.session.message import Message
from aigym_db.migrate.session.migration_run import Run
from aigym_db.migrate.session.wire import Reply
from aigym_db.model.migration import Migration, Part
from aigym_db.syntax.quote import quoted

BACK_OFF_S = (0.1, 1.0)
"""Shortest and longest pause before a transaction that met a lock is tried again."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The outcome of a transaction."""

    reply: Reply
    error: AigymError | None
    """Why it was not committed; None when it was."""
    lost_ms: float
    """The time lost to tries that ended in a lock timeout, including the pauses."""


@dataclass(frozen=True, slots=True)
class Try:
    """A message that was sent, and the reply."""

    attempt: MigrationAttempt
    migrations: Sequence[Migration]
    """The first is the one that was not committed; the others stand behind it in the message."""
    part: Part
    message: Message
    reply: Reply
    what: str = ""
    """What was sent, as a sentence begins, unless it was all of the first migration."""

    def error(self, patience: Patience, spent_ms: float) -> AigymError | None:
        """Why the first was not committed, after rolling it back; None when it is worth another try, after a
        pause.

        Raises Interrupted (AIG-I001).
        """
        return self._why() or patience.met(self, spent_ms)

    def _why(self) -> AigymError | None:
        """The same; also None when all that was in the way is somebody else's lock."""
        run, reply, migration = self.attempt.run, self.reply, self.migrations[0]
        name = self.what or migration.label
        if reply.lost:
            said = reply.failure.diag.message_primary if reply.failure else None
            which = name
            if len(self.migrations) > 1:
                which = f"Each of {migration.label} to {self.migrations[-1].label}"
            return run.lost(f"{which} is either wholly applied or not at all.", said or "")
        run.session.roll_back()
        assert reply.failure is not None
        state = reply.failure.sqlstate
        if state == failure.CANCELLED and run.lock_lost():
            return run.lost(f"It was the one that holds the runner's lock. {name} was rolled back.")
        if reply.cancelled and state == failure.CANCELLED:
            return run.interrupted(migration, f"{name} was cancelled and rolled back.")
        if state in (failure.LOCK_NOT_AVAILABLE, failure.DEADLOCK) or (
            state == failure.CANCELLED and self.attempt.gave_way
        ):
            return None
        return failure.statement_error(migration, self.part, self.message, reply.done, reply.failure)


@dataclass(slots=True)
class Patience:
    """The lock timeouts of a migration, and the time lost to them."""

    tries: int = 0
    lost_ms: float = 0.0
    blockers: tuple[Blocker, ...] = ()
    """The sessions last seen to block one of the tries."""

    def met(self, tried: Try, spent_ms: float) -> AigymError | None:
        """Pauses after a try that met a lock; the error when it was the last one.

        Raises Interrupted (AIG-I001).
        """
        run, migration = tried.attempt.run, tried.migrations[0]
        self.blockers = tried.attempt.blockers or self.blockers
        self.tries += 1
        self.lost_ms += spent_ms
        if self.lost_ms >= run.options.patience_ms:
            step, limit_ms = tried.message.step(tried.reply.done), timeout_ms(run, tried.part)
            place = step.place() if step else None
            return failure.lock_timeout(
                migration, place, self.tries, self.lost_ms, limit_ms, self.blockers, tried.what
            )
        run.observer.waiting(Waiting("retry", self.lost_ms / 1000, blockers=self.blockers))
        pause_s = random.uniform(*BACK_OFF_S)
        run.stop.pause(pause_s)
        self.lost_ms += pause_s * 1000
        run.check(migration)
        return None


def opening(
    run: Run, part: Part, *, durable: bool, message: Message | None = None, begins: bool = True
) -> Message:
    """The start of a transaction under the options of a part, behind what the message has already.

    Not `begins` inside one that others share: then it sets the options of the part alone.
    """
    message = Message() if message is None else message
    if begins:
        message.add("begin")
    if part.lock_timeout_ms is not None:
        message.add(f"set local lock_timeout = {part.lock_timeout_ms}")
    if not durable:
        message.add("set local synchronous_commit = off")
    role = run.role(part)
    if role is not None:
        message.add(f"set local role {quoted(role)}")
    return message


def closing(run: Run, part: Part, message: Message) -> None:
    """Append COMMIT under the migration's role: deferred constraint triggers fire at commit."""
    role = run.role(part)
    if role is not None:
        message.add(f"set local role {quoted(role)}")
    message.add("commit")


def transact(
    attempt: MigrationAttempt,
    migration: Migration,
    part: Part,
    build: Callable[[float], Message],
    ask: Callable[[Message], None] | None = None,
    *,
    patience: Patience | None = None,
    what: str = "",
) -> Sent:
    """Sends what `build` makes, commits it and asks what is left behind; the whole again after a lock
    timeout.

    `build` is given the milliseconds lost so far. The question for leftovers, or what `ask` adds in its
    place, stands in the same message, behind the commit: only then is what a transaction had for itself gone.
    `patience` is what there is left of it after tries elsewhere. `what` is sent, as a sentence begins, unless
    it is the whole migration.
    """
    run, patience = attempt.run, patience or Patience()
    while True:
        message = build(patience.lost_ms)
        closing(run, part, message)
        commit = len(message) - 1
        if ask is None:
            message.add(run.session_state)
        else:
            ask(message)
        with attempt.yielding(timeout_ms(run, part)):
            reply = run.session.send(message)
        if len(reply.results) > commit:
            attempt.inspect(reply, commit + 1, migration, part)
            return Sent(reply, None, patience.lost_ms)
        error = Try(attempt, [migration], part, message, reply, what).error(patience, reply.duration_ms)
        if error is not None:
            return Sent(reply, error, patience.lost_ms)


def timeout_ms(run: Run, part: Part) -> int:
    """Return the longest time, in milliseconds, that a statement of a part may wait for a lock."""
    return run.options.lock_timeout_ms if part.lock_timeout_ms is None else part.lock_timeout_ms
