"""A database whose ledger does not match the migration files.

The ledger stores the checksum of every applied migration. If a file is missing or differs, a new database
would differ from this one. The same holds for a migration that was added later with a lower number and is not
applied.

What to do: restore the files from version control, and put changes into a new migration.

breaks: edit migrations/0002_birds.sql: name text -> name varchar
finding: differs from 0002 birds as it was applied
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.database.ledger import applied, checksum
from aigym_db.verify.check import CheckFailure, check
from aigym_db.verify.context import VerifyContext


@check("HIST03", "ledger", needs="live")
def ledger_matches_files(context: VerifyContext) -> Iterator[CheckFailure]:
    """Yield a failure for each applied migration whose file is missing, renamed or edited, and for each
    unapplied one older than the newest applied.
    """
    files = {migration.version: migration for migration in context.migrations}
    rows = {row.version: row for row in applied(context.database)}
    names = {(row.version, row.name) for row in rows.values()}
    for version, row in rows.items():
        file = files.get(version)
        if file is None or file.name != row.name:
            moved = next((file for file in context.migrations if checksum(file) == row.checksum), None)
            if moved is not None and (moved.version, moved.name) not in names:
                yield CheckFailure(
                    f"{version:04d} {row.name} is applied, and its file was renamed to {moved.file}.",
                    moved.up.source.place(0),
                    f"Rename it back: `git mv {moved.file} migrations/{version:04d}_{row.name}.sql`.",
                )
                continue
            yield CheckFailure(
                f"{version:04d} {row.name} is applied but missing from migrations/.",
                file.up.source.place(0) if file else None,
                "Restore the file from version control, or check out the branch that has it.",
            )
        elif row.checksum != checksum(file):
            yield CheckFailure(
                f"{file.file} differs from {file.label} as it was applied.",
                file.up.source.place(0),
                "Restore the file from version control, and put the change into a new migration.",
            )
    newest = max(rows, default=0)
    for version, file in files.items():
        if version < newest and version not in rows:
            yield CheckFailure(
                f"{file.label} is not applied and older than {newest:04d}, which is applied.",
                file.up.source.place(0),
                "Check that it has the same effect after the applied migrations, then run "
                f"`aigym-db migrate --allow-out-of-order {version}`.",
            )
