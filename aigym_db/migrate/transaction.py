"""A transaction sent as one message, and sent again when a lock was in the way."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from aigym_db.errors import AigymError
from aigym_db.migrate import failure
from aigym_db.migrate.message import Message
from aigym_db.migrate.observer import Waiting
from aigym_db.migrate.quoting import quoted
from aigym_db.migrate.run import Run
from aigym_db.migrate.session import Reply
from aigym_db.model.migration import Migration, Part

BACK_OFF_S = (0.1, 1.0)
"""Shortest and longest pause before a transaction that met a lock is tried again."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a transaction."""

    reply: Reply
    refusal: AigymError | None
    """Why it was not committed; None when it was."""
    lost_ms: float
    """What tries that met a lock cost, pauses included."""


def opening(run: Run, part: Part, *, durable: bool) -> Message:
    """The start of a transaction under the options of a part."""
    message = Message()
    message.add("begin")
    message.add(f"set local lock_timeout = {timeout_ms(run, part)}")
    if not durable:
        message.add("set local synchronous_commit = off")
    role = run.role(part)
    if role is not None:
        message.add(f"set local role {quoted(role)}")
    return message


def transact(
    run: Run, migration: Migration, part: Part, build: Callable[[float], Message], *, thorough: bool = True
) -> Sent:
    """Sends what `build` makes, commits it and asks what is left behind; the whole again after a lock
    timeout.

    `build` is given the milliseconds lost so far. The question for leftovers stands in the same message,
    behind the commit: only then is what a transaction had for itself gone. Unless `thorough`, it leaves out
    what is slow to ask.
    """
    lost_ms, tries = 0.0, 0
    run.blockers = ()
    while True:
        tries += 1
        message = build(lost_ms)
        message.add("commit")
        commit = len(message) - 1
        message.add(run.leftovers if thorough else run.leftovers_quick)
        reply = run.session.send(message)
        if len(reply.results) > commit:
            run.left = (
                (reply.results[commit + 1].get_value(0, 0) or b"").decode()
                if len(reply.results) > commit + 1
                else ""
            )
            return Sent(reply, None, lost_ms)
        refusal = _refusal(run, migration, part, message, reply)
        if refusal is not None:
            return Sent(reply, refusal, lost_ms)
        lost_ms += reply.duration_ms
        if lost_ms >= run.options.patience_ms:
            step = message.step(len(reply.results))
            place = step.place() if step else None
            met = failure.lock_timeout(migration, place, tries, lost_ms, timeout_ms(run, part), run.blockers)
            return Sent(reply, met, lost_ms)
        run.observer.waiting(Waiting("retry", lost_ms / 1000, blockers=run.blockers))
        pause_s = random.uniform(*BACK_OFF_S)
        run.stop.pause(pause_s)
        lost_ms += pause_s * 1000
        run.check(migration)


def timeout_ms(run: Run, part: Part) -> int:
    """How long a statement of a part may wait for its lock."""
    return run.options.lock_timeout_ms if part.lock_timeout_ms is None else part.lock_timeout_ms


def _refusal(run: Run, migration: Migration, part: Part, message: Message, reply: Reply) -> AigymError | None:
    """Why nothing was committed; None when it is worth another try."""
    if reply.lost:
        said = reply.failure.diag.message_primary if reply.failure else None
        return run.lost(f"{migration.label} is either wholly applied or not at all.", said or "")
    rollback = Message()
    rollback.add("rollback")
    run.session.send(rollback)
    assert reply.failure is not None
    state = reply.failure.sqlstate
    if state == failure.CANCELLED and run.lock_lost():
        return run.lost(f"It was the one that holds the runner's lock; {migration.label} was rolled back.")
    if reply.cancelled and state == failure.CANCELLED:
        return run.interrupted(migration, f"{migration.label} was cancelled and rolled back.")
    if state in (failure.LOCK_NOT_AVAILABLE, failure.DEADLOCK):
        return None
    return failure.refused(migration, part, message, len(reply.results), reply.failure)
