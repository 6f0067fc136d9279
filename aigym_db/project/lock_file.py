"""`migrations/LOCK`: the checksums of frozen migrations, in the format of sha256sum.

`sha256sum -c LOCK` in `migrations/` works without aigym-db. Lines are only ever added, in order.

While no database has the migrations, a project may write its history anew. The first line of the new lock
file is then `# history 2: REASON`, with a number that increases each time.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from aigym_db.errors import EditedFrozen, MissingMigration
from aigym_db.model.migration import Migration
from aigym_db.model.source import Source, lines_of
from aigym_db.project.config import Project
from aigym_db.project.migrations import FILE_NAME
from aigym_db.project.version_sequence import rename_hint

_LINE = re.compile(r"([0-9a-f]{64}) [ *](\S+)")
_HISTORY = re.compile(r"# history ([0-9]+): \S.*\n")


def history_number(text: str) -> int:
    """Return the number in the first line of a lock file: how often the history was written, 1 by default."""
    match = _HISTORY.match(text)
    return int(match[1]) if match else 1


def frozen(project: Project, migrations: tuple[Migration, ...]) -> frozenset[int]:
    """Return the versions of the frozen migrations: those in the lock file. Compare each file's checksum.

    Raise EditedFrozen (AIG-T001) if a frozen file or the lock file was edited, MissingMigration (AIG-T002) if
    a frozen file is missing.
    """
    source = _source(project)
    by_name = {migration.file.rpartition("/")[2]: migration for migration in migrations}
    versions: list[int] = []
    head = _HISTORY.match(source.text)
    offset = head.end() if head else 0
    for line in lines_of(source.text[offset:], keepends=True):
        start, offset = offset, offset + len(line)
        match = _LINE.fullmatch(line.rstrip("\n"))
        name = FILE_NAME.fullmatch(match[2]) if match else None
        if match is None or name is None:
            raise EditedFrozen(
                "This line of LOCK is not a checksum, two spaces and the name of a migration.",
                place=source.place(start),
                hint="Restore migrations/LOCK from version control.",
            )
        version = int(name[1])
        if version != len(versions) + 1:
            raise EditedFrozen(
                f"LOCK contains {version:04d} where {len(versions) + 1:04d} is next: a line was removed, "
                "moved or written twice.",
                place=source.place(start),
                hint="Restore migrations/LOCK from version control.",
            )
        migration = by_name.get(match[2])
        if migration is None:
            moved = next((file for file in migrations if file.checksum == match[1]), None)
            if moved is not None:
                raise MissingMigration(
                    f"{match[2]} is frozen and was renamed: its text is now {moved.file}.",
                    place=source.place(start),
                    hint=rename_hint(moved, match[2]),
                )
            raise MissingMigration(
                f"{match[2]} is frozen, but missing.",
                place=source.place(start),
                hint=f"Bring migrations/{match[2]} back from version control.",
            )
        if migration.checksum != match[1]:
            raise EditedFrozen(
                f"{migration.file} was edited after it was frozen.",
                place=source.place(start),
                detail=f"LOCK has {match[1]},\nthe file {migration.checksum}.",
                hint=f"Restore {migration.file} from version control and put the change into a new "
                "migration: `aigym-db new NAME`.",
            )
        versions.append(version)
    return frozenset(versions)


def freeze(project: Project, migrations: tuple[Migration, ...]) -> tuple[Migration, ...]:
    """Append every draft to the lock file, all or none, and return them, oldest first.

    Raise what `frozen` raises; the lock file is then unchanged.
    """
    known = frozen(project, migrations)
    drafts = tuple(migration for migration in migrations if migration.version not in known)
    if drafts:
        path = project.root / "migrations" / "LOCK"
        text = _source(project).text
        added = "".join(f"{draft.checksum}  {Path(draft.file).name}\n" for draft in drafts)
        beside = path.with_name(".LOCK.new")
        with beside.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text + added)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    return drafts


def _source(project: Project) -> Source:
    path = project.root / "migrations" / "LOCK"
    content = path.read_bytes() if path.exists() else b""
    text = content.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    return Source("migrations/LOCK", text if not text or text.endswith("\n") else text + "\n")
