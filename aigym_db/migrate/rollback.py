"""Takes a database back to an earlier version of its migrations."""

from __future__ import annotations

from contextlib import closing, nullcontext
from typing import Any

import psycopg
from psycopg import Connection

from aigym_db.database.failure import explain_error
from aigym_db.database.partially_applied import unfinished
from aigym_db.migrate.apply import decided, execute, looked_into, moved_or_same, nothing_to_do, require_locked
from aigym_db.migrate.data_loss.data_loss import require_no_data_loss
from aigym_db.migrate.history import digest
from aigym_db.migrate.observer import Finished, Observer
from aigym_db.migrate.options import Options
from aigym_db.migrate.plan import plan_down
from aigym_db.migrate.session.context import RunContext
from aigym_db.migrate.session.reconnect import opened
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
    """Undoes everything after version `to`, or the newest `steps` (one by default); returns it, newest first.

    With `plan`, e.g. the one that a WouldDestroyData speaks of and a person said yes to, it undoes exactly
    that, or raises LedgerMoved (AIG-T006) when somebody migrated since. Raises Irreversible (AIG-G004)
    before anything happens when one of them cannot be undone, WouldDestroyData (AIG-G003) when data would be
    lost, or might be where nobody can look, and `yes` is not given, and what `migrate` raises. `stop` belongs
    to a caller that looks after the signals; without it this call does.
    When `options.resolve` gives up a migration that is half applied, nothing else is undone by default.
    """
    options, observer = options or Options(), observer or Observer()

    gives_up = False

    def decide(rows: tuple[Applied, ...]) -> Plan:
        if gives_up:
            return Plan("down", (), digest(rows))
        found = plan_down(migrations, rows, to, steps, allow_behind=plan is not None)
        require_locked(migrations, rows, options)
        return found

    def guard(connection: Connection[Any], plan: Plan) -> None:
        if not yes:
            require_no_data_loss(connection, plan, options.owner)

    try:
        with Stop() if stop is None else nullcontext(stop) as stopping:
            context = RunContext(dsn, options, observer, stopping)
            with closing(opened(context)) as connection:
                if options.resolve == "done" and to is None and steps is None:
                    # That is an act of its own: nobody has asked for what was applied before.
                    cut_short = unfinished(connection, options.scope)
                    gives_up = any(begun.direction == "up" for begun in cut_short)
                wanted = moved_or_same(plan, decided(connection, migrations, decide, options))
                if nothing_to_do(connection, wanted, options):
                    observer.planned(wanted)
                    return ()
                return execute(connection, context, migrations, wanted, decide, exactly=True, guard=guard)
    except psycopg.Error as error:
        raise explain_error(error) from None


def undoing(
    dsn: str,
    migrations: tuple[Migration, ...],
    *,
    to: int,
    yes: bool = False,
    plan: Plan | None = None,
    options: Options | None = None,
    stop: Stop | None = None,
) -> Plan:
    """What `rollback` would undo now to come to version `to`; it only reads.

    A database that never came so far has nothing to undo. Raises what `rollback` raises before it takes a
    lock, and WouldDestroyData (AIG-G003) unless `yes`.
    """
    options = options or Options()

    def decide(rows: tuple[Applied, ...]) -> Plan:
        found = plan_down(migrations, rows, to, allow_behind=True)
        require_locked(migrations, rows, options)
        return found

    try:
        with closing(opened(RunContext(dsn, options, Observer(), stop or Stop()))) as connection:
            found = moved_or_same(plan, decided(connection, migrations, decide, options))
            if not yes:
                require_no_data_loss(connection, found, options.owner)
            return looked_into(connection, found, options)
    except psycopg.Error as error:
        raise explain_error(error) from None
