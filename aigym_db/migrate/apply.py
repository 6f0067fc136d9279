"""Application of the pending migrations to a database."""

from __future__ import annotations

from aigym_db.migrate.current_plan import (
    Decide,
    confirmed,
    current_plan,
    nothing_to_do,
    require_applied_in_lock_file,
    require_frozen,
    with_unfinished,
)
from aigym_db.migrate.observer import Finished, Observer
from aigym_db.migrate.options import Options
from aigym_db.migrate.plan import plan_up
from aigym_db.migrate.session.reconnect import connected
from aigym_db.migrate.stop import Stop
from aigym_db.model.migration import Applied, Migration, Plan


def migrate(
    dsn: str,
    migrations: tuple[Migration, ...],
    *,
    to: int | None = None,
    plan: Plan | None = None,
    options: Options | None = None,
    observer: Observer | None = None,
    stop: Stop | None = None,
) -> tuple[Finished, ...]:
    """Apply the pending migrations up to and including version `to`, and return them, oldest first.

    Each migration is applied exactly once, also if several processes call this concurrently. With `plan`,
    execute exactly that plan, or raise LedgerChanged (AIG-T006) if the ledger has changed since it was
    computed. If no migration is pending, no lock is acquired and nothing is written. `stop` is for callers
    that handle signals themselves; without it SIGINT, SIGTERM and SIGHUP are handled for the duration of the
    call.

    Raise what `plan_up` raises; BadSql (AIG-P005) and ForbiddenStatement (AIG-P010) for a file; UnknownTenant
    (AIG-P017); the guards' errors (AIG-G001, AIG-G007); the server's errors (AIG-S…); RunnerLocked
    (AIG-L001), PartiallyApplied (AIG-H001) and Interrupted (AIG-I001).
    """
    options, observer = options or Options(), observer or Observer()
    decide = _decision(migrations, to, options)
    with connected(dsn, options, observer, stop) as (connection, context):
        planned = confirmed(plan, current_plan(connection, migrations, decide, options))
        if nothing_to_do(connection, planned, options):
            observer.planned(planned)
            return ()
        require_frozen(planned.migrations, options)
        from aigym_db.migrate.execute import execute

        return execute(connection, context, migrations, planned, decide, exactly=plan is not None)


def pending(
    dsn: str,
    migrations: tuple[Migration, ...],
    *,
    to: int | None = None,
    options: Options | None = None,
    stop: Stop | None = None,
) -> Plan:
    """Return the plan that `migrate` would execute now. Nothing is written.

    Raise what `migrate` raises before it acquires a lock.
    """
    options = options or Options()
    decide = _decision(migrations, to, options)
    with connected(dsn, options, Observer(), stop or Stop()) as (connection, _):
        plan = current_plan(connection, migrations, decide, options)
        require_frozen(plan.migrations, options)
        return with_unfinished(connection, plan, options)


def _decision(migrations: tuple[Migration, ...], to: int | None, options: Options) -> Decide:
    def decide(rows: tuple[Applied, ...]) -> Plan:
        plan = plan_up(migrations, rows, to, options.phase, options.out_of_order)
        require_applied_in_lock_file(migrations, rows, options)
        return plan

    return decide
