"""Errors of files, ledger and catalog that do not agree, AIG-T001 to AIG-T008."""

from __future__ import annotations

from aigym_db.errors.base import TamperedError


class EditedFrozen(TamperedError):
    """The checksum of a frozen migration differs from the lock file, or the lock file was edited.

    Frozen migrations are never edited, because databases may have applied them. Restore the file from version
    control and write the change as a new migration (`aigym-db new NAME`).
    """

    code = "AIG-T001"
    name = "edited-frozen"


class MissingMigration(TamperedError):
    """The file of an applied or frozen migration is missing or was renamed, or a number is missing.

    Restore the file from version control, or check out the branch that contains it. The ledger stores the
    text of every applied migration; `aigym-db status --sql VERSION` prints it. If another file contains the
    same text under a different name or number, the detail names it: rename it back.
    """

    code = "AIG-T002"
    name = "missing-migration"


class EditedMigration(TamperedError):
    """A migration file differs from what was applied to this database.

    The detail shows the difference. The file may agree with the lock file and the database may still have
    applied a different text, for example a draft. Restore the file and write the change as a new migration.
    """

    code = "AIG-T003"
    name = "edited-migration"


class OutOfOrder(TamperedError):
    """A pending migration has a lower number than the newest applied one. Nothing was applied.

    The database was migrated from a branch that did not contain it. Applied now, it runs after migrations
    that were tested without it. If its effect is the same there, apply it with `aigym-db migrate
    --allow-out-of-order VERSION`; the ledger records the order. Do not change its number: that would leave a
    gap.
    """

    code = "AIG-T004"
    name = "out-of-order"


class LedgerChanged(TamperedError):
    """The ledger changed between plan and execution.

    Another run migrated this database in the meantime, so the plan is out of date. Run the command again.
    """

    code = "AIG-T006"
    name = "ledger-changed"


class NameTaken(TamperedError):
    """The name of an object that a migration creates is in use by a different object.

    For example, an index of that name exists on another table, has other columns, or is INVALID and was not
    created by aigym-db. If it were accepted because of IF NOT EXISTS, the ledger would record an object that
    does not exist. Examine the object, then rename or drop it.
    """

    code = "AIG-T007"
    name = "name-taken"


class UnknownLedger(TamperedError):
    """The ledger of the database has a format that this version of aigym-db does not support.

    The ledger is the schema `aigym_db`. It was created by another version of aigym-db, or was changed.
    Nothing was executed. Use the version that created it, which the column `tool_version` of `aigym_db.event`
    contains. If the data is not needed, drop the database, create it again and run `aigym-db migrate`.
    """

    code = "AIG-T008"
    name = "unknown-ledger"
