"""Where a database stands: what it has run, what is pending and what was cut short."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

import psycopg

from aigym_db.database.connect import connect
from aigym_db.database.failure import explain_error
from aigym_db.database.ledger import applied
from aigym_db.database.partially_applied import PartialMigration, known_unfinished
from aigym_db.migrate.history import require_in_lock_file
from aigym_db.migrate.history_mismatch import explained
from aigym_db.migrate.plan import plan_up
from aigym_db.migrate.tenants import require_tenant
from aigym_db.model.migration import Applied, Migration


@dataclass(frozen=True, slots=True)
class Status:
    """One database or tenant schema at one moment."""

    applied: tuple[Applied, ...]
    """Oldest first."""
    pending: tuple[Migration, ...]
    """What `migrate` would apply, oldest first."""
    unfinished: tuple[PartialMigration, ...] | None
    """What was cut short outside a transaction; None where the role may not read the ledger's journal."""


def standing(
    dsn: str, migrations: tuple[Migration, ...], *, frozen: frozenset[int] | None = None, scope: str = ""
) -> Status:
    """Compares the files with a database, or with its tenant schema `scope`. It only reads: a role that may
    read the ledger's view will do, and a standby.

    With `frozen` LOCK has to hold all that the database has run, as where it takes no drafts. Raises what
    `plan_up` raises, EditedFrozen (AIG-T001), UnknownTenant (AIG-P017), and what the server says (AIG-S…).
    """
    try:
        with (
            closing(connect(dsn, autocommit=True)) as connection,
            explained(connection, migrations, scope),
        ):
            if scope:
                require_tenant(connection, scope)
            rows = applied(connection, scope)
            pending = plan_up(migrations, rows).migrations
            cut_short = known_unfinished(connection, scope)
    except psycopg.Error as error:
        raise explain_error(error) from None
    if frozen is not None:
        require_in_lock_file(migrations, rows, frozen)
    return Status(rows, pending, cut_short)
