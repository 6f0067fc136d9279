"""A migration that is one transaction: sent as one message, ledger row and COMMIT included."""

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
"""How many moments inside a migration are noted at most; of more statements, every so many."""
_MOMENT = re.compile(r"(?:set|lock)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MigrationTransaction:
    """A migration that is to run as one transaction."""

    migration: Migration
    direction: Direction
    part: Part
    steps: tuple[Step, ...]
    durable: bool
    """Whether its commit waits for the disk. Not for every migration of a run but the last: a later flush
    makes all before it durable, and a crash can only lose the end of the line, ledger rows included."""
    defines: bool
    """Whether every statement only defines something; then it may share a message."""
    question: str
    """The check of its session state: the more code it may have run, the slower the check."""

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
        """The transaction of a part."""
        others = [step for step in steps if not defines(step)]
        if not all(map(changes_rows, others)):
            question = run.session_state
        else:
            question = prepared.GUARD if not others and all(map(harmless, steps)) else prepared.GUARD_ALL
        return cls(migration, direction, part, steps, durable, not others, question)

    def ask(self, message: Message) -> None:
        """Append, after its COMMIT, the check of its session state and RESET ALL."""
        message.add(self.question)
        message.add(RESET_ALL)


def run_transaction(run: Run, transaction: MigrationTransaction, patience: Patience | None = None) -> None:
    """Runs a migration and its ledger row, or nothing of either.

    `patience` is what a message with others left of it: then this one has been begun already.
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
        sent = transact(attempt, migration, part, build, transaction.ask, patience=patience)
        if sent.error is not None:
            run.failed(migration, transaction.direction, sent.error, None)
            raise sent.error
        run.finish(Finished(migration, sent.reply.duration_ms, sent.lost_ms), durable=transaction.durable)


def add(
    run: Run, message: Message, transaction: MigrationTransaction, lost_ms: float = 0.0, *, opens: bool = True
) -> int:
    """Adds a transaction and its ledger row, up to the COMMIT; not `opens` when it has been begun already.

    Returns the number of the result that will say what the migration took, in milliseconds.
    """
    steps, migration = transaction.steps, transaction.migration
    opening(run, transaction.part, durable=transaction.durable, message=message, begins=opens)
    # Behind SET TRANSACTION or LOCK a question of ours would fix what the next statement sees.
    noted = not any(_MOMENT.match(step.text) for step in steps)
    stride = -(-len(steps) // MOMENTS) or 1
    for number, step in enumerate(steps, start=1):
        message.add(step)
        check = guard(run.session.connection, step.text)
        if check is not None:
            message.add(check)
        if noted and number % stride == 0 and number < len(steps):
            message.add(prepared.TICK)
    event = run.outcome(migration, transaction.direction, transaction.part, lost_ms)
    if run.role(transaction.part) is not None or not transaction.defines:
        message.add("set local role none")
    message.add(prepared.record(run.session.connection, event))
    return len(message) - 1
