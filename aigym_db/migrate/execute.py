"""The execution of a plan in either direction, under both runner locks.

All files are parsed before the first statement is sent. Each migration then runs as its file specifies: in a
transaction, streamed, statement by statement or in batches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from psycopg import Connection

from aigym_db.database import ledger
from aigym_db.migrate.current_plan import Decide, confirmed
from aigym_db.migrate.non_transactional.partially_applied import require_finished
from aigym_db.migrate.observer import Finished
from aigym_db.migrate.session.begin import begin
from aigym_db.migrate.session.migration_run import Run
from aigym_db.migrate.session.reconnect import RunContext, rest, with_reconnect
from aigym_db.migrate.statements import part_of, read, steps_of
from aigym_db.migrate.step import Step
from aigym_db.migrate.transactional.message_batch import run_transactions
from aigym_db.migrate.transactional.single_message import MigrationTransaction
from aigym_db.migrate.transactional.streamed import is_streamed, run_streamed
from aigym_db.model.migration import Applied, Migration, Plan


def execute(
    connection: Connection[Any],
    context: RunContext,
    migrations: tuple[Migration, ...],
    planned: Plan,
    decide: Decide,
    *,
    exactly: bool,
    guard: Callable[[Connection[Any], Plan], None] = lambda connection, plan: None,
) -> tuple[Finished, ...]:
    """Execute a plan under both runner locks and return the committed migrations, in order.

    The plan is computed again once the locks are held: another run may have migrated in the meantime. If
    `exactly`, raise LedgerChanged (AIG-T006) if the ledger has changed; otherwise execute the rest. `guard`
    is called before the first statement is sent, and may raise. If the server goes away while no statement
    is in progress, wait for it and continue.
    """
    options, observer = context.options, context.observer
    texts = read(planned, options)
    first: list[tuple[Applied, ...]] = []
    finished: list[Finished] = []

    def attempt(connection: Connection[Any]) -> tuple[Finished, ...]:
        with begin(connection, context) as run:
            rows = ledger.applied(connection, options.scope)
            plan = rest(planned, first[0], rows) if first and exactly else decide(rows)
            if exactly and not first:
                confirmed(planned, plan)
            require_finished(run, plan, migrations)
            guard(connection, plan)
            if not first:
                observer.planned(plan)
            first.append(rows)
            # A server that crashed may have lost the last commits: those migrations are applied again.
            repeated = {migration.version for migration in plan.migrations}
            finished[:] = [done for done in finished if done.migration.version not in repeated]
            run.start(plan, finished)
            _run(run, plan, texts)
            return tuple(finished)

    return with_reconnect(attempt, connection, context)


def _run(run: Run, plan: Plan, texts: Mapping[int, tuple[Step, ...]]) -> None:
    """Run the migrations in order; consecutive short transactions are collected and sent together."""
    transactions: list[MigrationTransaction] = []
    for migration in plan.migrations:
        part = part_of(migration, plan.direction)
        durable = run.options.durable or migration is plan.migrations[-1]
        if is_streamed(part):
            run_transactions(run, transactions)
            transactions = []
            run_streamed(run, migration, plan.direction, part, durable=durable)
            continue
        steps = texts.get(migration.version) or steps_of(migration, part)
        if part.transaction:
            transaction = MigrationTransaction.of(run, migration, plan.direction, part, steps, durable)
            transactions.append(transaction)
            continue
        run_transactions(run, transactions)
        transactions = []
        if part.batch_rows is None:
            from aigym_db.migrate.non_transactional.sequence import run_sequence

            run_sequence(run, migration, plan.direction, part, steps)
        else:
            from aigym_db.migrate.backfill.backfill import run_backfill

            run_backfill(run, migration, plan.direction, part, steps)
    if run.options.transaction == "run" and len(transactions) > 1:
        from aigym_db.migrate.transactional.single_transaction import run_single_transaction

        run_single_transaction(run, transactions)
    else:
        run_transactions(run, transactions)
