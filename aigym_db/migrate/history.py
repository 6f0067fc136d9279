"""Compare the migration files with the ledger: missing, renamed, edited and out-of-order migrations."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from aigym_db.errors import EditedFrozen, EditedMigration, MissingMigration
from aigym_db.model.migration import Applied, Migration
from aigym_db.project.applied_files import (
    edited_migrations,
    missing_migrations,
    renamed_file,
)


def require_matching_files(migrations: tuple[Migration, ...], ledger: tuple[Applied, ...]) -> None:
    """Check that each applied migration's file exists unchanged.

    Raise MissingMigration (AIG-T002) if a file is missing or renamed, EditedMigration (AIG-T003) if its
    checksum differs.
    """
    missing = missing_migrations(migrations, ledger)
    if missing:
        raise _missing(missing, migrations, ledger)
    edited = edited_migrations(migrations, ledger)
    if edited:
        first, *others = edited
        more = f" So do {join(other.label for other in others)}." if others else ""
        raise EditedMigration(
            f"{first.file} differs from {first.label} as it was applied.{more}",
            place=first.up.source.place(0),
            hint="Restore the file from version control, and put the change into a new migration: "
            "`aigym-db new NAME`.",
        )


def require_in_lock_file(
    migrations: Iterable[Migration], ledger: Iterable[Applied], frozen: frozenset[int]
) -> None:
    """Raise EditedFrozen (AIG-T001) if an applied migration is missing from the lock file.

    The lock file alone does not show that its last lines were removed. This check is for databases that
    accept frozen migrations only.
    """
    versions = {migration.version for migration in migrations}
    unfrozen = [row for row in ledger if row.version in versions and row.version not in frozen]
    if unfrozen:
        raise EditedFrozen(
            f"{join(row.label for row in unfrozen)} {_is(unfrozen)} applied but missing from "
            "migrations/LOCK: a line was removed.",
            hint="Restore migrations/LOCK from version control, or check out the branch that froze it.",
        )


def applied_out_of_order(ledger: Iterable[Applied]) -> dict[int, int]:
    """Return the versions applied out of order, each with the newest version applied before it."""
    late: dict[int, int] = {}
    newest = 0
    for row in sorted(ledger, key=lambda row: (row.applied_at, row.version)):
        if row.version < newest:
            late[row.version] = newest
        newest = max(newest, row.version)
    return late


def digest(ledger: Iterable[Applied]) -> str:
    """Return a checksum of the applied migrations; it changes with every apply and rollback."""
    lines = sorted(
        f"{row.version} {row.name} {row.checksum} {row.applied_at.timestamp()}\n" for row in ledger
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def join(labels: Iterable[str]) -> str:
    """Return the labels as an English enumeration."""
    *rest, last = labels
    return f"{', '.join(rest)} and {last}" if rest else last


def _missing(
    missing: tuple[Applied, ...], migrations: tuple[Migration, ...], ledger: tuple[Applied, ...]
) -> MissingMigration:
    renamed = {row: file for row in missing if (file := renamed_file(row, migrations, ledger))}
    deleted = [row for row in missing if row not in renamed]
    sentences = [
        f"{row.label} is applied, and its file was renamed to {file.file}." for row, file in renamed.items()
    ]
    hint = "Bring the file back from version control, or check out the branch that has it."
    if deleted:
        labels = join(row.label for row in deleted)
        sentences.insert(0, f"{labels} {_is(deleted)} applied but missing from migrations/.")
    else:
        commands = (f"`git mv {file.file} {row.file}`" for row, file in renamed.items())
        hint = f"Rename it back: {join(commands)}."
    place = next((file.up.source.place(0) for file in renamed.values()), None)
    return MissingMigration(" ".join(sentences), place=place, hint=hint)


def _is(rows: list[Applied]) -> str:
    return "is" if len(rows) == 1 else "are"
