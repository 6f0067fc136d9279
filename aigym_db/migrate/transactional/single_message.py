"""A migration as one transaction in one message, including its ledger row and COMMIT."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aigym_db.migrate.observer import Finished
from aigym_db.migrate.session.attempt import MigrationAttempt
from aigym_db.migrate.session.message import Message
from aigym_db.migrate.session.migration_run import Run
from aigym_db.migrate.session.session_settings import RESET_ALL
from aigym_db.migrate.session.session_state import changes_rows, defines, harmless
from aigym_db.migrate.session.transaction import Patience, opening, transact
from aigym_db.migrate.step import Step
from aigym_db.migrate.transactional import prepared
from aigym_db.migrate.transactional.if_not_exists import guard
from aigym_db.model.migration import Direction, Migration, Part

MOMENTS = 100
"""Maximum number of times recorded within a migration; with more statements, only after every n-th one."""
_MOMENT = re.compile(r"(?:set|lock)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MigrationTransaction:
    """A migration to be run as one transaction."""

    migration: Migration
    direction: Direction
    part: Part
    steps: tuple[Step, ...]
    durable: bool
    """True if its commit waits for the disk. By default only the last one of a run does: its flush makes all
    earlier commits durable, and a crash can lose only the most recent ones, together with their ledger
    rows."""
    defines: bool
    """True if every statement only defines objects; the migration may then share a message."""
    check: str
    """The query for its session state: the more code a migration may execute, the slower the query."""

    @classmethod
    def of(
        cls,
        run: Run,
        migration: Migration,
        direction: Direction,
        part: Part,
        steps: tuple[Step, ...],
        durable: bool,
    ) -> MigrationTransaction:
        """Return the transaction of a part."""
        others = [step for step in steps if not defines(step)]
        if not all(map(changes_rows, others)):
            check = run.session_state
        else:
            check = prepared.GUARD if not others and all(map(harmless, steps)) else prepared.GUARD_ALL
        return cls(migration, direction, part, steps, durable, not others, check)

    def append_check(self, message: Message) -> None:
        """Append the query for session state and RESET ALL, after the COMMIT."""
        message.add(self.check)
        message.add(RESET_ALL)


def run_transaction(run: Run, transaction: MigrationTransaction, patience: Patience | None = None) -> None:
    """Commit a migration together with its ledger row.

    `patience` counts earlier tries in a shared message; the migration has then been reported as started.
    """
    migration, part = transaction.migration, transaction.part

    def build(lost_ms: float) -> Message:
        message = Message()
        add(run, message, transaction, lost_ms)
        return message

    run.check(migration)
    prepared.prepare(run)
    if patience is None:
        run.started(migration)
    with MigrationAttempt(run, migration) as attempt:
        sent = transact(attempt, migration, part, build, transaction.append_check, patience=patience)
        if sent.error is not None:
            run.failed(migration, transaction.direction, sent.error, None)
            raise sent.error
        run.finish(Finished(migration, sent.reply.duration_ms, sent.lost_ms), durable=transaction.durable)


def add(
    run: Run, message: Message, transaction: MigrationTransaction, lost_ms: float = 0.0, *, opens: bool = True
) -> int:
    """Append a transaction and its ledger row, without the COMMIT; without BEGIN unless `opens`.

    Return the number of the result that will contain the duration of the migration, in milliseconds.
    """
    steps, migration = transaction.steps, transaction.migration
    opening(run, transaction.part, durable=transaction.durable, message=message, begins=opens)
    # After SET TRANSACTION or LOCK a query would take the snapshot before the file's next statement.
    timed = not any(_MOMENT.match(step.text) for step in steps)
    stride = -(-len(steps) // MOMENTS) or 1
    for number, step in enumerate(steps, start=1):
        message.add(step)
        check = guard(run.session.connection, step.text)
        if check is not None:
            message.add(check)
        if timed and number % stride == 0 and number < len(steps):
            message.add(prepared.TICK)
    event = run.outcome(migration, transaction.direction, transaction.part, lost_ms)
    if run.role(transaction.part) is not None or not transaction.defines:
        message.add("set local role none")
    message.add(prepared.record(run.session.connection, event))
    return len(message) - 1
