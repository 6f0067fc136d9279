"""Rollback of a database to an earlier migration."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from aigym_db.database.partially_applied import unfinished
from aigym_db.migrate.current_plan import (
    confirmed,
    current_plan,
    nothing_to_do,
    require_applied_in_lock_file,
    with_unfinished,
)
from aigym_db.migrate.data_loss.data_loss import require_no_data_loss
from aigym_db.migrate.history import digest
from aigym_db.migrate.observer import Finished, Observer
from aigym_db.migrate.options import Options
from aigym_db.migrate.plan import plan_down
from aigym_db.migrate.session.reconnect import connected
from aigym_db.migrate.stop import Stop
from aigym_db.model.migration import Applied, Migration, Plan


def rollback(
    dsn: str,
    migrations: tuple[Migration, ...],
    *,
    to: int | None = None,
    steps: int | None = None,
    yes: bool = False,
    plan: Plan | None = None,
    options: Options | None = None,
    observer: Observer | None = None,
    stop: Stop | None = None,
) -> tuple[Finished, ...]:
    """Roll back every migration after version `to`, or the newest `steps` (default 1), and return them,
    newest first.

    With `plan`, such as the one in a DataLoss error that was confirmed, execute exactly that plan, or raise
    LedgerChanged (AIG-T006) if the ledger changed since it was computed. With `yes`, data loss is accepted.
    If `options.resolve` resolves a partially applied migration as rolled back, nothing else is rolled back by
    default. `stop` is as for `migrate`.

    Raise Irreversible (AIG-G004) before anything happens if one of the migrations has no down part, DataLoss
    (AIG-G003) if data would be lost, or if that cannot be determined, and what `migrate` raises.
    """
    options, observer = options or Options(), observer or Observer()

    def guard(connection: Connection[Any], plan: Plan) -> None:
        if not yes:
            require_no_data_loss(connection, plan, options.owner)

    with connected(dsn, options, observer, stop) as (connection, context):
        resolves = False
        if options.resolve == "done" and to is None and steps is None:
            # Without `to` or `steps`, `--resolve done` only resolves; it rolls back no other migration.
            # Determined once: the plan must not grow after the migration is resolved.
            resolves = any(partial.direction == "up" for partial in unfinished(connection, options.scope))

        def decide(rows: tuple[Applied, ...]) -> Plan:
            if resolves:
                return Plan("down", (), digest(rows))
            down = plan_down(migrations, rows, to, steps, allow_behind=plan is not None)
            require_applied_in_lock_file(migrations, rows, options)
            return down

        planned = confirmed(plan, current_plan(connection, migrations, decide, options))
        if nothing_to_do(connection, planned, options):
            observer.planned(planned)
            return ()
        from aigym_db.migrate.execute import execute

        return execute(connection, context, migrations, planned, decide, exactly=True, guard=guard)


def pending_rollback(
    dsn: str,
    migrations: tuple[Migration, ...],
    *,
    to: int,
    yes: bool = False,
    plan: Plan | None = None,
    options: Options | None = None,
    stop: Stop | None = None,
) -> Plan:
    """Return the plan that `rollback` to version `to` would execute now. Nothing is written.

    The plan is empty if no applied migration is newer than `to`. Raise what `rollback` raises before it
    acquires a lock, and DataLoss (AIG-G003) unless `yes`.
    """
    options = options or Options()

    def decide(rows: tuple[Applied, ...]) -> Plan:
        down = plan_down(migrations, rows, to, allow_behind=True)
        require_applied_in_lock_file(migrations, rows, options)
        return down

    with connected(dsn, options, Observer(), stop or Stop()) as (connection, _):
        planned = confirmed(plan, current_plan(connection, migrations, decide, options))
        if not yes:
            require_no_data_loss(connection, planned, options.owner)
        return with_unfinished(connection, planned, options)
