"""A whole run in one transaction: every migration of it is applied, or none is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NoReturn

from aigym_db.database.queries import query
from aigym_db.errors import BadMigration
from aigym_db.migrate.observer import Finished
from aigym_db.migrate.session import failure
from aigym_db.migrate.session.attempt import Run
from aigym_db.migrate.session.message import Message
from aigym_db.migrate.session.session_settings import SET_BACK
from aigym_db.migrate.session.session_state import require_nothing_left
from aigym_db.migrate.session.transaction import Patience, Try, closing, left, timeout_ms
from aigym_db.migrate.session.wire import Reply
from aigym_db.migrate.transactional import prepared
from aigym_db.migrate.transactional.single_message import MigrationTransaction, add
from aigym_db.model.migration import Plan
from aigym_db.syntax.quote import quoted


def require_inside(plan: Plan) -> None:
    """Nothing, when all that is to run can be one transaction.

    Raises BadMigration (AIG-P008). A single migration may be as it likes.
    """
    for migration in plan.migrations if len(plan.migrations) > 1 else ():
        part = migration.up if plan.direction == "up" else migration.down
        if part is not None and not part.transaction:
            raise BadMigration(
                f"{migration.label} runs outside a transaction, and this project wants a run to be one.",
                place=failure.marker(part),
                hint='Run it by itself, with --to before and behind it, or set `transaction = "migration"`.',
            )


def run_whole(run: Run, line: Sequence[MigrationTransaction]) -> None:
    """Runs all of them and their ledger rows, or nothing of any; the whole again after a lock timeout."""
    patience, run.blockers = Patience(), ()
    prepared.prepare(run)
    while (took_ms := _try(run, line, patience)) is None:
        pass
    for transaction, spent_ms in zip(line, took_ms, strict=True):
        run.tell(Finished(transaction.migration, spent_ms, patience.lost_ms))
    require_nothing_left(run, line[-1].migration, line[-1].part, line[0].migration)


def _try(run: Run, line: Sequence[MigrationTransaction], patience: Patience) -> list[float] | None:
    """What each of them took once all are committed; None when a lock was in the way and that may be over."""
    took_ms: list[float] = []
    began = time.monotonic()
    try:
        for transaction in line:
            if took_ms:
                _separate(run, line[len(took_ms) - 1], line, patience, began)
            took_ms.append(_send(run, transaction, line, patience, began))
    except _LockMet:
        return None
    except BaseException:
        run.session.roll_back()
        raise
    return took_ms


def _send(
    run: Run,
    transaction: MigrationTransaction,
    line: Sequence[MigrationTransaction],
    patience: Patience,
    began: float,
) -> float:
    """Sends one of them, with the COMMIT of all behind the last; what it took in milliseconds."""
    migration, message = transaction.migration, Message()
    record = add(run, message, transaction, patience.lost_ms, opens=transaction is line[0])
    if transaction is line[-1]:
        closing(run, transaction.part, message)
        message.add(run.leftovers)
    run.check(migration)
    run.started(migration)
    run.session.hear = lambda notice, _: run.observer.notice(migration, notice)
    with run.yielding(timeout_ms(run, transaction.part)):
        reply = run.session.send(message)
    if transaction is line[-1] and len(reply.results) >= len(message) - 1:
        run.left = left(run, reply, len(message) - 1)
    elif reply.lost or reply.failure is not None:
        _refuse(run, transaction, line, message, reply, patience, began)
    return float(reply.results[record].get_value(0, 0) or 0)


def _separate(
    run: Run,
    before: MigrationTransaction,
    line: Sequence[MigrationTransaction],
    patience: Patience,
    began: float,
) -> None:
    """Ends in the open transaction what a COMMIT behind this file would have ended.

    A message of its own: the server reads all of one in the encoding, and under the rules for backslashes,
    that were in force when it came.
    """
    message, role = Message(), run.role(before.part)
    if not before.defines:
        if role is not None:
            message.add(f"set local role {quoted(role)}")
        message.add(query("migrate/settle_constraints"))
        message.add("set local role none")
    for statement in ("close all", SET_BACK, "discard temp"):
        message.add(statement)
    with run.yielding(timeout_ms(run, before.part)):
        reply = run.session.send(message)
    if reply.lost or reply.failure is not None:
        _refuse(run, before, line, message, reply, patience, began)


def _refuse(
    run: Run,
    transaction: MigrationTransaction,
    line: Sequence[MigrationTransaction],
    message: Message,
    reply: Reply,
    patience: Patience,
    began: float,
) -> NoReturn:
    """Raises why nothing of all was applied, or that it is worth another try."""
    migration = transaction.migration
    if reply.lost:
        said = reply.failure.diag.message_primary if reply.failure else None
        raise run.lost(
            f"{line[0].migration.label} to {line[-1].migration.label} are applied, all or none.", said or ""
        )
    spent_ms = (time.monotonic() - began) * 1000
    refusal = Try(run, [migration], transaction.part, message, reply).refusal(patience, spent_ms)
    if refusal is None:
        raise _LockMet
    if reply.failure is not None and reply.failure.sqlstate == failure.NEW_VALUE:
        refusal.hint = "Run the file that adds the value by itself before the others, with --to."
    refusal.message = (
        f"{refusal.message.rstrip('.')}. The whole run is one transaction: nothing of it was applied."
    )
    run.failed(migration, transaction.direction, refusal, None)
    raise refusal


class _LockMet(Exception):
    """The transaction was rolled back because of somebody else's lock."""
