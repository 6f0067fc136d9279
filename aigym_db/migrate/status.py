"""The status of a database: applied, pending and partially applied migrations."""

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
from aigym_db.model.migration import Applied, Migration


@dataclass(frozen=True, slots=True)
class Status:
    """One database or tenant schema at one moment."""

    applied: tuple[Applied, ...]
    """Oldest first."""
    pending: tuple[Migration, ...]
    """What `migrate` would apply, oldest first."""
    unfinished: tuple[PartialMigration, ...] | None
    """The partially applied migrations; None if the role may not read the ledger's journal."""


def status(
    dsn: str,
    migrations: tuple[Migration, ...],
    *,
    frozen: frozenset[int] | None = None,
    local: bool = False,
    scope: str = "",
) -> Status:
    """Return the status of a database, or of its tenant schema `scope`, compared with the files.

    Only reads, so a standby or a role that may only read the ledger's view suffices. With `frozen`, the
    versions in the lock file, raise EditedFrozen (AIG-T001) if an applied migration is missing from it,
    unless the database is the project's own `local` one, which accepts drafts. Raise
    what `plan_up` raises, UnknownTenant (AIG-P017), and the server's errors (AIG-S…).
    """
    try:
        with (
            closing(connect(dsn, autocommit=True)) as connection,
            explained(connection, migrations, scope, frozen if local else None),
        ):
            if scope:
                from aigym_db.migrate.tenants import require_tenant

                require_tenant(connection, scope)
            rows = applied(connection, scope)
            pending = plan_up(migrations, rows).migrations
            partial = known_unfinished(connection, scope)
    except psycopg.Error as error:
        raise explain_error(error) from None
    if frozen is not None and not local:
        require_in_lock_file(migrations, rows, frozen)
    return Status(rows, pending, partial)
