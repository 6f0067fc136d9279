"""A migration that is long, or that holds data for a COPY: one transaction, sent a stretch at a time.

What it promises is what a short one does: its ledger row is in the same transaction, a lock that is in the
way takes all of it back and it is tried again, and errors have their place in the file. Only the text is
never in memory twice, neither here nor at the server.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from psycopg import Connection

from aigym_db.database import ledger
from aigym_db.errors import BadMigration
from aigym_db.migrate.observer import Finished
from aigym_db.migrate.session import failure
from aigym_db.migrate.session.attempt import MigrationAttempt
from aigym_db.migrate.session.ledger_failure import kept_away
from aigym_db.migrate.session.message import Message
from aigym_db.migrate.session.migration_run import Run
from aigym_db.migrate.session.session_settings import RESET_ALL
from aigym_db.migrate.session.transaction import Patience, Try, closing, opening, timeout_ms
from aigym_db.migrate.session.wire import Reply
from aigym_db.migrate.transactional.chunks import Bulk, bulks
from aigym_db.model.migration import Direction, Migration, Part, Plan
from aigym_db.syntax.non_sql import LONG


def is_streamed(part: Part) -> bool:
    """True if a part is streamed."""
    long = len(part.source.text) > LONG
    return part.transaction and part.batch_rows is None and (long or bool(part.rows))


def require_short(plan: Plan) -> None:
    """Raise BadMigration (AIG-P008) if one of several migrations has to be streamed."""
    for migration in plan.migrations if len(plan.migrations) > 1 else ():
        part = migration.up if plan.direction == "up" else migration.down
        if part is not None and is_streamed(part):
            raise BadMigration(
                f"{migration.label} is long or holds data for a COPY, so it takes a transaction of its own, "
                "and this project wants a run to be one.",
                place=failure.marker(part),
                hint='Run it by itself, with --to before and behind it, or set `transaction = "migration"`.',
            )


def run_streamed(run: Run, migration: Migration, direction: Direction, part: Part, *, durable: bool) -> None:
    """Runs a migration and its ledger row, or nothing of either."""
    run.check(migration)
    run.started(migration)
    with MigrationAttempt(run, migration) as attempt:
        spent_ms, lost_ms = _run(attempt, migration, direction, part, durable)
        run.finish(Finished(migration, spent_ms, lost_ms), durable=durable)


def _run(
    attempt: MigrationAttempt, migration: Migration, direction: Direction, part: Part, durable: bool
) -> tuple[float, float]:
    """Commit the transaction; return its duration and the time lost to lock timeouts, in milliseconds."""
    run, patience = attempt.run, Patience()
    while True:
        began = time.monotonic()
        with attempt.yielding(timeout_ms(run, part)):
            message, reply = _send(run, migration, direction, part, patience.lost_ms, durable)
        spent_ms = round((time.monotonic() - began) * 1000, 3)
        if isinstance(message, _Commit) and reply.done > message.commit:
            attempt.inspect(reply, message.commit + 1, migration, part)
            return spent_ms, patience.lost_ms
        error = Try(attempt, [migration], part, message, reply).error(patience, spent_ms)
        if error is not None:
            run.failed(migration, direction, error, None)
            raise error


def _send(
    run: Run, migration: Migration, direction: Direction, part: Part, lost_ms: float, durable: bool
) -> tuple[Message, Reply]:
    """The message that was sent last, and what became of it: the COMMIT, unless one before it failed."""
    began = time.monotonic()
    message: Message = opening(run, part, durable=durable)
    reply = run.session.send(message)
    following = _Ahead(part, run.session.connection)
    while _good(reply) and following.bulk is not None:
        if run.stop.signal:
            run.session.send(Message.of("rollback"))
            stopped = run.interrupted(migration, f"{migration.label} was rolled back.")
            run.failed(migration, direction, stopped, None)
            raise stopped
        message = following.bulk
        # Whatever runs code may throw our prepared statements away, and then this is not taken back.
        if not following.bulk.plain:
            run.session.forget_prepared()
        reply = run.session.send(message, following.read, keep=False)
    if not _good(reply):
        return message, reply
    took_ms = round((time.monotonic() - began) * 1000, 3)
    event = run.outcome(migration, direction, part, lost_ms, duration_ms=[took_ms])
    for message in (Message.of("set local role none"), _Row(event), _Commit(run, part)):
        reply = run.session.send(message)
        if not _good(reply):
            break
        if isinstance(message, _Row) and reply.results[0].command_tuples == 0:
            run.session.roll_back()
            swallowed = kept_away(migration.label)
            run.failed(migration, direction, swallowed, None)
            raise swallowed
    return message, reply


class _Ahead:
    """The stretches of a part, the next one found while the server is busy with the one before it."""

    def __init__(self, part: Part, connection: Connection[Any]) -> None:
        self._bulks = bulks(part, connection)
        self.bulk: Bulk | None = None
        self.read()

    def read(self) -> None:
        self.bulk = next(self._bulks, None)


class _Row(Message):
    """The ledger row of a migration, however long its text."""

    def __init__(self, event: ledger.Event) -> None:
        super().__init__()
        self.event = event
        self.add(ledger.copy_text(event))

    def data(self) -> Iterator[bytes]:
        return ledger.copy_data(self.event)


class _Commit(Message):
    """The end of the transaction, and the check of its session state."""

    def __init__(self, run: Run, part: Part) -> None:
        super().__init__()
        closing(run, part, self)
        self.commit = len(self) - 1
        """The number of the COMMIT in it."""
        self.add(run.session_state)
        self.add(RESET_ALL)


def _good(reply: Reply) -> bool:
    return reply.failure is None and not reply.lost
