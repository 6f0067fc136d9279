"""The files of applied migrations, compared with the ledger: missing, renamed and edited ones."""

from __future__ import annotations

from collections.abc import Iterable

from aigym_db.model.migration import Applied, Migration


def missing_migrations(migrations: Iterable[Migration], ledger: Iterable[Applied]) -> tuple[Applied, ...]:
    """Return the applied migrations without a file of the same number and name, oldest first."""
    names = {migration.version: migration.name for migration in migrations}
    return tuple(row for row in ledger if names.get(row.version) != row.name)


def edited_migrations(migrations: Iterable[Migration], ledger: Iterable[Applied]) -> tuple[Migration, ...]:
    """Return the applied migrations whose file changed after they were applied, oldest first."""
    checksums = {row.version: row.file_checksum for row in ledger}
    return tuple(
        migration
        for migration in by_version(migrations)
        if migration.version in checksums and checksums[migration.version] != migration.checksum
    )


def renamed_file(
    row: Applied, migrations: Iterable[Migration], ledger: Iterable[Applied]
) -> Migration | None:
    """Return the file that an applied migration was renamed to; None if there is none.

    It has the text of the migration and is not applied under its own name.
    """
    applied = {(other.version, other.name) for other in ledger}
    return next(
        (
            migration
            for migration in by_version(migrations)
            if migration.checksum == row.file_checksum and (migration.version, migration.name) not in applied
        ),
        None,
    )


def by_version(migrations: Iterable[Migration]) -> list[Migration]:
    """Return the migrations, oldest first."""
    return sorted(migrations, key=lambda migration: migration.version)
