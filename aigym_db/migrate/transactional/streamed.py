"""A long migration, or one with data for a COPY: one transaction, sent in chunks.

The guarantees are those of a short migration: its ledger row is in the same transaction, the whole is rolled
back and retried after a lock timeout, and errors have a place in the file. The client never copies the whole
text, and the server never holds all of it in memory.
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
from aigym_db.migrate.session.ledger_failure import row_suppressed
from aigym_db.migrate.session.message import Message
from aigym_db.migrate.session.migration_run import Run
from aigym_db.migrate.session.session_settings import RESET_ALL
from aigym_db.migrate.session.transaction import Patience, Try, closing, opening, timeout_ms
from aigym_db.migrate.session.wire import Reply
from aigym_db.migrate.transactional.chunks import Chunk, chunks
from aigym_db.model.migration import Direction, Migration, Part, Plan
from aigym_db.syntax.non_sql import LONG


def is_streamed(part: Part) -> bool:
    """Return True for a transactional part of a long file, or with data for a COPY; never for a backfill."""
    long = len(part.source.text) > LONG
    return part.transaction and part.batch_rows is None and (long or bool(part.rows))


def require_short(plan: Plan) -> None:
    """Raise BadMigration (AIG-P008) if one of several migrations has to be streamed."""
    for migration in plan.migrations if len(plan.migrations) > 1 else ():
        part = migration.up if plan.direction == "up" else migration.down
        if part is not None and is_streamed(part):
            raise BadMigration(
                f"{migration.label} is long or contains data for a COPY and cannot be part of a run with "
                '`transaction = "run"`.',
                place=failure.marker(part),
                hint='Apply it in a separate run with `--to`, or set `transaction = "migration"`.',
            )


def run_streamed(run: Run, migration: Migration, direction: Direction, part: Part, *, durable: bool) -> None:
    """Execute a migration in one transaction together with its ledger row, sent in chunks, and report it."""
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
    """Send the transaction; return the last message and its reply: the COMMIT, or the first that failed."""
    began = time.monotonic()
    message: Message = opening(run, part, durable=durable)
    reply = run.session.send(message)
    following = _Ahead(part, run.session.connection)
    while _good(reply) and following.chunk is not None:
        if run.stop.signal:
            run.session.send(Message.of("rollback"))
            stopped = run.interrupted(migration, f"{migration.label} was rolled back.")
            run.failed(migration, direction, stopped, None)
            raise stopped
        message = following.chunk
        # User code may deallocate the prepared statements, and a rollback does not restore them.
        if not following.chunk.plain:
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
            suppressed = row_suppressed(migration.label)
            run.failed(migration, direction, suppressed, None)
            raise suppressed
    return message, reply


class _Ahead:
    """The chunks of a part; the next one is determined while the server is busy with the current one."""

    def __init__(self, part: Part, connection: Connection[Any]) -> None:
        self._chunks = chunks(part, connection)
        self.chunk: Chunk | None = None
        self.read()

    def read(self) -> None:
        self.chunk = next(self._chunks, None)


class _Row(Message):
    """The ledger row of a migration, written with COPY because its text may be long."""

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
        """The index of the COMMIT in the message."""
        self.add(run.session_state)
        self.add(RESET_ALL)


def _good(reply: Reply) -> bool:
    return reply.failure is None and not reply.lost
