"""The plan for the current state of a database, computed from its ledger and the files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from psycopg import Connection

from aigym_db.database import ledger
from aigym_db.database.partially_applied import unfinished
from aigym_db.errors import LedgerChanged, UnfrozenMigration
from aigym_db.migrate.history import require_in_lock_file
from aigym_db.migrate.history_mismatch import explained
from aigym_db.migrate.options import Options
from aigym_db.model.migration import Applied, Migration, Plan

Decide = Callable[[tuple[Applied, ...]], Plan]
"""Computes a plan from the applied migrations; sends nothing."""


def current_plan(
    connection: Connection[Any], migrations: tuple[Migration, ...], decide: Decide, options: Options
) -> Plan:
    """Return what `decide` computes from the ledger.

    Raise UnknownTenant (AIG-P017) if the tenant schema does not exist, and what `decide` raises. Errors about
    edited and missing migrations include details from the ledger.
    """
    if options.scope:
        from aigym_db.migrate.tenants import require_tenant

        require_tenant(connection, options.scope)
    with explained(connection, migrations, options.scope, options.frozen if options.local else None):
        return decide(ledger.applied(connection, options.scope))


def confirmed(plan: Plan | None, current: Plan) -> Plan:
    """Return the given plan, or the current one if it is None.

    Raise LedgerChanged (AIG-T006) if the given plan was computed from another state of the ledger.
    """
    if plan is not None and plan.ledger_digest != current.ledger_digest:
        raise LedgerChanged(
            "The ledger of this database has changed since the plan was computed: another run migrated it.",
            hint="Plan again, and review the new plan.",
        )
    return plan or current


def nothing_to_do(connection: Connection[Any], plan: Plan, options: Options) -> bool:
    """True if the plan is empty and no migration is partially applied, which a run would resume or reject."""
    return not plan.migrations and not unfinished(connection, options.scope)


def with_unfinished(connection: Connection[Any], plan: Plan, options: Options) -> Plan:
    """Return the plan with `unfinished` set if it is empty and a migration is partially applied."""
    return replace(plan, unfinished=not plan.migrations and bool(unfinished(connection, options.scope)))


def require_frozen(migrations: Iterable[Migration], options: Options) -> None:
    """Raise UnfrozenMigration (AIG-G001) if a migration is a draft and the database is not the project's own
    local one."""
    if options.local or options.frozen is None:
        return
    drafts = [migration for migration in migrations if migration.version not in options.frozen]
    if drafts:
        raise UnfrozenMigration(
            f"{', '.join(draft.label for draft in drafts)} {'is' if len(drafts) == 1 else 'are'} not "
            "frozen. Only the project's own local database accepts drafts.",
            place=drafts[0].up.source.place(0),
            hint="Run `aigym-db freeze` and commit migrations/LOCK.",
        )


def require_applied_in_lock_file(
    migrations: tuple[Migration, ...], rows: tuple[Applied, ...], options: Options
) -> None:
    """Raise EditedFrozen (AIG-T001) if a database that accepts no drafts has applied a migration that is
    missing from the lock file."""
    if not options.local and options.frozen is not None:
        require_in_lock_file(migrations, rows, options.frozen)
