"""A whole run in one transaction: all of its migrations are applied, or none."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NoReturn

from aigym_db.database.queries import query
from aigym_db.errors import BadMigration
from aigym_db.migrate.observer import Finished
from aigym_db.migrate.session import failure
from aigym_db.migrate.session.attempt import MigrationAttempt
from aigym_db.migrate.session.message import Message
from aigym_db.migrate.session.migration_run import Run
from aigym_db.migrate.session.session_settings import RESET_ALL
from aigym_db.migrate.session.transaction import Patience, Try, closing, timeout_ms
from aigym_db.migrate.session.wire import Reply
from aigym_db.migrate.transactional import prepared
from aigym_db.migrate.transactional.single_message import MigrationTransaction, add
from aigym_db.model.migration import Plan
from aigym_db.syntax.quote import quoted


def require_transactional(plan: Plan) -> None:
    """Raise BadMigration (AIG-P008) if one of several migrations cannot be part of one transaction."""
    for migration in plan.migrations if len(plan.migrations) > 1 else ():
        part = migration.up if plan.direction == "up" else migration.down
        if part is not None and not part.transaction:
            raise BadMigration(
                f"{migration.label} is non-transactional and cannot be part of a run with "
                '`transaction = "run"`.',
                place=failure.marker(part),
                hint='Apply it in a separate run with `--to`, or set `transaction = "migration"`.',
            )


def run_single_transaction(run: Run, line: Sequence[MigrationTransaction]) -> None:
    """Commit all migrations and their ledger rows together; retry all of them after a lock timeout."""
    patience = Patience()
    prepared.prepare(run)
    with MigrationAttempt(run, line[0].migration) as attempt:
        while (took_ms := _try(attempt, line, patience)) is None:
            pass
        for transaction, spent_ms in zip(line, took_ms, strict=True):
            run.finish(Finished(transaction.migration, spent_ms, patience.lost_ms))


def _try(
    attempt: MigrationAttempt, line: Sequence[MigrationTransaction], patience: Patience
) -> list[float] | None:
    """Send and commit all migrations; return the duration of each, in ms, or None after a lock timeout."""
    took_ms: list[float] = []
    began = time.monotonic()
    try:
        for transaction in line:
            if took_ms:
                _separate(attempt, line[len(took_ms) - 1], line, patience, began)
            took_ms.append(_send(attempt, transaction, line, patience, began))
    except _LockTimedOut:
        return None
    except BaseException:
        attempt.run.session.roll_back()
        raise
    return took_ms


def _send(
    attempt: MigrationAttempt,
    transaction: MigrationTransaction,
    line: Sequence[MigrationTransaction],
    patience: Patience,
    began: float,
) -> float:
    """Send one migration, the last one with the COMMIT; return its duration in milliseconds."""
    run, migration, message = attempt.run, transaction.migration, Message()
    record = add(run, message, transaction, patience.lost_ms, opens=transaction is line[0])
    if transaction is line[-1]:
        closing(run, transaction.part, message)
        message.add(run.session_state)
    run.check(migration)
    run.started(migration)
    attempt.move_to(migration)
    with attempt.yielding(timeout_ms(run, transaction.part)):
        reply = run.session.send(message)
    if transaction is line[-1] and len(reply.results) >= len(message) - 1:
        attempt.inspect(reply, len(message) - 1, migration, transaction.part, line[0].migration)
    elif reply.lost or reply.failure is not None:
        _raise_error(attempt, transaction, line, message, reply, patience, began)
    return float(reply.results[record].get_value(0, 0) or 0)


def _separate(
    attempt: MigrationAttempt,
    before: MigrationTransaction,
    line: Sequence[MigrationTransaction],
    patience: Patience,
    began: float,
) -> None:
    """Emulate the effects of COMMIT between two files of one transaction.

    They are sent as a separate message: the server reads a message completely under the settings for encoding
    and backslashes in force when it arrives.
    """
    run, message = attempt.run, Message()
    role = run.role(before.part)
    if not before.defines:
        if role is not None:
            message.add(f"set local role {quoted(role)}")
        message.add(query("migrate/check_deferred_constraints"))
        message.add("set local role none")
    for statement in ("close all", RESET_ALL, "discard temp"):
        message.add(statement)
    with attempt.yielding(timeout_ms(run, before.part)):
        reply = run.session.send(message)
    if reply.lost or reply.failure is not None:
        _raise_error(attempt, before, line, message, reply, patience, began)


def _raise_error(
    attempt: MigrationAttempt,
    transaction: MigrationTransaction,
    line: Sequence[MigrationTransaction],
    message: Message,
    reply: Reply,
    patience: Patience,
    began: float,
) -> NoReturn:
    """Raise the error that prevented the run, or _LockTimedOut if it is to be retried."""
    run, migration = attempt.run, transaction.migration
    if reply.lost:
        reason = reply.failure.diag.message_primary if reply.failure else None
        raise run.lost(
            f"Either all of {line[0].migration.label} to {line[-1].migration.label} are applied, or none.",
            reason or "",
        )
    spent_ms = (time.monotonic() - began) * 1000
    error = Try(attempt, [migration], transaction.part, message, reply).error(patience, spent_ms)
    if error is None:
        raise _LockTimedOut
    new_value = reply.failure is not None and reply.failure.sqlstate == failure.NEW_VALUE
    error = error.amended(
        message=f"{error.message.rstrip('.')}. The run is one transaction: no migration was applied.",
        hint="Apply the file that adds the value in a separate run before the others, with `--to`."
        if new_value
        else error.hint,
    )
    run.failed(migration, transaction.direction, error, None)
    raise error


class _LockTimedOut(Exception):
    """The transaction was rolled back after a lock timeout or a deadlock."""
