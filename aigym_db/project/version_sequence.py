"""The version numbers of migration files: unique, from 1 on, without gaps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from aigym_db.errors import AigymError, BadHistory, MissingMigration
from aigym_db.model.migration import Migration, file_name

# Compiled on use: both are for errors only.
_LOCKED = r"(?m)^([0-9a-f]{64}) [ *]((\d{4,})_\S+)$"
_FILE = r"(\d{4,})_\S+\.sql"


def require_unbroken(migrations: Sequence[Migration], lock: Path) -> None:
    """Raise an error if these migrations, sorted by version, are not numbered without gaps.

    Raise BadHistory (AIG-P009) for a duplicate version, MissingMigration (AIG-T002) for a gap.
    The lock file supplies the name of the missing file.
    """
    for expected, migration in enumerate(migrations, start=1):
        if migration.version != expected:
            text = lock.read_text(encoding="utf-8", errors="replace") if lock.is_file() else ""
            frozen = {int(line[3]): (line[2], line[1]) for line in re.finditer(_LOCKED, text)}
            raise _broken(migrations, expected, migration, frozen)


def conflicting_versions(folder: Path) -> frozenset[int]:
    """Return the versions that two files of a folder have, and those missing below the highest.

    Only the file names are read, not the files.
    """
    versions = [int(name[1]) for path in folder.glob("*.sql") if (name := re.fullmatch(_FILE, path.name))]
    twice = {number for number in versions if versions.count(number) > 1}
    return frozenset(twice | (set(range(1, max(versions, default=0))) - set(versions)))


def rename_hint(migration: Migration, file: str) -> str:
    """Return the hint that restores the name `file` of a renamed migration."""
    return f"Rename it back: `git mv {migration.file} migrations/{file}`."


def _broken(
    migrations: Sequence[Migration], expected: int, migration: Migration, frozen: dict[int, tuple[str, str]]
) -> AigymError:
    if migration.version < expected:
        same = [other for other in migrations if other.version == migration.version]
        name, checksum = frozen.get(migration.version, ("", ""))
        kept = next(
            (file for file in same if file.file == f"migrations/{name}" and file.checksum == checksum), None
        )
        newer = next((file for file in same[::-1] if file is not kept), migration)
        free = max(file.version for file in migrations) + 1
        return BadHistory(
            f"{_COUNT.get(len(same), len(same))} migrations have the number {migration.version:04d}: "
            f"{', '.join(file.file for file in same)}.",
            place=newer.up.source.place(0),
            detail=f"LOCK has frozen {kept.file}." if kept else "",
            hint=f"Give the one that {'is not frozen' if kept else 'no database has run'} the next free "
            f"number: `git mv {newer.file} migrations/{file_name(free, newer.name)}`.",
        )
    name, checksum = frozen.get(expected, ("", ""))
    moved = next((file for file in migrations if file.checksum == checksum), None)
    if moved is not None:
        return MissingMigration(
            f"{name} was renamed: its text is now {moved.file}.",
            place=moved.up.source.place(0),
            hint=rename_hint(moved, name),
        )
    missing = name or f"Migration {expected:04d}"
    after = f"right after {expected - 1:04d}" if expected > 1 else "first"
    return MissingMigration(
        f"{missing} is missing: {migration.file} comes {after}.",
        place=migration.up.source.place(0),
        hint=f"Bring {f'migrations/{name}' if name else 'the file'} back from version control; only drafts "
        "that no database has run may be renumbered.",
    )


_COUNT = {2: "Two", 3: "Three"}
