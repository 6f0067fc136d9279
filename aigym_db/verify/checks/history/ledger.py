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

from aigym_db.database.ledger import applied
from aigym_db.project.applied_files import edited_migrations, missing_migrations, renamed_file
from aigym_db.verify.check import CheckFailure, check
from aigym_db.verify.context import VerifyContext


@check("HIST03", "ledger", needs="live")
def ledger_matches_files(context: VerifyContext) -> Iterator[CheckFailure]:
    """Yield a failure for each applied migration whose file is missing, renamed or edited, and each late one.

    A late migration is not applied, and is older than the newest applied one.
    """
    rows = applied(context.database)
    missing = missing_migrations(context.migrations, rows)
    for row in missing:
        file = renamed_file(row, context.migrations, rows)
        if file is not None:
            yield CheckFailure(
                f"{row.label} is applied, and its file was renamed to {file.file}.",
                file.up.source.place(0),
                f"Rename it back: `git mv {file.file} {row.file}`.",
            )
        else:
            yield CheckFailure(
                f"{row.label} is applied but missing from migrations/.",
                None,
                "Restore the file from version control, or check out the branch that has it.",
            )
    missing_versions = {row.version for row in missing}
    for migration in edited_migrations(context.migrations, rows):
        if migration.version not in missing_versions:
            yield CheckFailure(
                f"{migration.file} differs from {migration.label} as it was applied.",
                migration.up.source.place(0),
                "Restore the file from version control, and put the change into a new migration.",
            )
    versions = {row.version for row in rows}
    newest = max(versions, default=0)
    for migration in context.migrations:
        if migration.version < newest and migration.version not in versions:
            yield CheckFailure(
                f"{migration.label} is not applied and older than {newest:04d}, which is applied.",
                migration.up.source.place(0),
                "Check that it has the same effect after the newer migrations, then run "
                f"`aigym-db migrate --allow-out-of-order {migration.version}`.",
            )
