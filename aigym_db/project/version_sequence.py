"""The numbers of migration files: one each, from 1 on, without a hole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from aigym_db.errors import AigymError, BadHistory, MissingMigration
from aigym_db.model.migration import Migration

_LOCKED = re.compile(r"^([0-9a-f]{64}) [ *]((\d{4,})_\S+)$", re.MULTILINE)
_FILE = re.compile(r"(\d{4,})_\S+\.sql")


def require_unbroken(found: Sequence[Migration], lock: Path) -> None:
    """Raise an error if these migrations, sorted by version, are not numbered without gaps.

    Raise BadHistory (AIG-P009) for a duplicate version, MissingMigration (AIG-T002) for a gap.
    The lock file supplies the name of the missing file.
    """
    for expected, migration in enumerate(found, start=1):
        if migration.version != expected:
            text = lock.read_text(encoding="utf-8", errors="replace") if lock.is_file() else ""
            frozen = {int(line[3]): (line[2], line[1]) for line in _LOCKED.finditer(text)}
            raise _broken(found, expected, migration, frozen)


def disputed(folder: Path) -> frozenset[int]:
    """The numbers that several files have, or none although a higher one is there; read off the names."""
    found = [int(name[1]) for path in folder.glob("*.sql") if (name := _FILE.fullmatch(path.name))]
    twice = {number for number in found if found.count(number) > 1}
    return frozenset(twice | (set(range(1, max(found, default=0))) - set(found)))


def renamed(migration: Migration, file: str) -> str:
    """How to give a migration the name of `file` again."""
    return f"Rename it back: `git mv {migration.file} migrations/{file}`."


def _broken(
    found: Sequence[Migration], expected: int, migration: Migration, frozen: dict[int, tuple[str, str]]
) -> AigymError:
    if migration.version < expected:
        same = [other for other in found if other.version == migration.version]
        name, checksum = frozen.get(migration.version, ("", ""))
        kept = next(
            (one for one in same if one.file == f"migrations/{name}" and one.checksum == checksum), None
        )
        newer = next((one for one in same[::-1] if one is not kept), migration)
        free = max(one.version for one in found) + 1
        return BadHistory(
            f"{_COUNT.get(len(same), len(same))} migrations have the number {migration.version:04d}: "
            f"{', '.join(one.file for one in same)}.",
            place=newer.up.source.place(0),
            detail=f"LOCK has frozen {kept.file}." if kept else "",
            hint=f"Give the one that {'is not frozen' if kept else 'no database has run'} the next free "
            f"number: `git mv {newer.file} migrations/{free:04d}_{newer.name}.sql`.",
        )
    name, checksum = frozen.get(expected, ("", ""))
    moved = next((one for one in found if one.checksum == checksum), None)
    if moved is not None:
        return MissingMigration(
            f"{name} was renamed: its text is now {moved.file}.",
            place=moved.up.source.place(0),
            hint=renamed(moved, name),
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
