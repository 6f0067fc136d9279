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
"""Shortest and longest pause, in seconds, before a transaction is retried after a lock timeout."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The outcome of a transaction."""

    reply: Reply
    error: AigymError | None
    """The reason why it was not committed; None if it was."""
    lost_ms: float
    """The time lost to tries that ended in a lock timeout, including the pauses."""


@dataclass(frozen=True, slots=True)
class Try:
    """A message that was sent, and the reply."""

    attempt: MigrationAttempt
    migrations: Sequence[Migration]
    """The first is the one that was not committed; the others follow it in the message."""
    part: Part
    message: Message
    reply: Reply
    subject: str = ""
    """The part that was sent, as the start of a sentence; empty for all of the first migration."""

    def error(self, patience: Patience, spent_ms: float) -> AigymError | None:
        """Roll back and return the reason why the first migration was not committed.

        Return None, after a pause, if the message is to be sent again. Raise Interrupted (AIG-I001) after a
        signal.
        """
        return self._reason() or patience.retry(self, spent_ms)

    def _reason(self) -> AigymError | None:
        """Roll back and return the reason; None after a lock timeout or a deadlock."""
        run, reply, migration = self.attempt.run, self.reply, self.migrations[0]
        name = self.subject or migration.label
        if reply.lost:
            reason = reply.failure.diag.message_primary if reply.failure else None
            subject = name
            if len(self.migrations) > 1:
                subject = f"Each of {migration.label} to {self.migrations[-1].label}"
            return run.lost(f"{subject} is either applied completely or not at all.", reason or "")
        run.session.roll_back()
        assert reply.failure is not None
        state = reply.failure.sqlstate
        if state == failure.CANCELLED and run.lock_lost():
            return run.lost(f"It held the runner lock. {name} was rolled back.")
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
    """The most recent sessions that blocked one of the tries."""

    def retry(self, tried: Try, spent_ms: float) -> AigymError | None:
        """Pause after a try that ended in a lock timeout; return the error if it was the last one.

        Raise Interrupted (AIG-I001) after a signal.
        """
        run, migration = tried.attempt.run, tried.migrations[0]
        self.blockers = tried.attempt.blockers or self.blockers
        self.tries += 1
        self.lost_ms += spent_ms
        if self.lost_ms >= run.options.patience_ms:
            step, limit_ms = tried.message.step(tried.reply.done), timeout_ms(run, tried.part)
            place = step.place() if step else None
            return failure.lock_timeout(
                migration, place, self.tries, self.lost_ms, limit_ms, self.blockers, tried.subject
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
    """Append BEGIN and the settings of a part to a message, by default a new one, and return the message.

    Without `begins`, append only the settings: the transaction has been started already.
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
    append_check: Callable[[Message], None] | None = None,
    *,
    patience: Patience | None = None,
    subject: str = "",
) -> Sent:
    """Send and commit the message that `build` returns, then check the session state; retry all of it after a
    lock timeout.

    `build` receives the milliseconds lost so far. The query for session state, or the one that `append_check`
    appends instead, follows the COMMIT in the same message: only then has transaction-local state ended.
    `patience` counts the tries already made elsewhere. `subject` names the part that is sent, at the start of
    a sentence; empty for the whole migration.
    """
    run, patience = attempt.run, patience or Patience()
    while True:
        message = build(patience.lost_ms)
        closing(run, part, message)
        commit = len(message) - 1
        if append_check is None:
            message.add(run.session_state)
        else:
            append_check(message)
        with attempt.yielding(timeout_ms(run, part)):
            reply = run.session.send(message)
        if len(reply.results) > commit:
            attempt.inspect(reply, commit + 1, migration, part)
            return Sent(reply, None, patience.lost_ms)
        error = Try(attempt, [migration], part, message, reply, subject).error(patience, reply.duration_ms)
        if error is not None:
            return Sent(reply, error, patience.lost_ms)


def timeout_ms(run: Run, part: Part) -> int:
    """Return the longest time, in milliseconds, that a statement of a part may wait for a lock."""
    return run.options.lock_timeout_ms if part.lock_timeout_ms is None else part.lock_timeout_ms
