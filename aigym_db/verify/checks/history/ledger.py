"""A database whose ledger and the migration files do not agree.

The ledger keeps the checksum of every migration as it ran. A file that is gone, or is not what the database
ran, means that a new database would be another one; so does a migration with a lower number that came later
and never ran.

What to do: bring the files back from version control, and put changes into a new migration.

breaks: edit migrations/0002_birds.sql: name text -> name varchar
finding: is not what the database ran as 0002 birds
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.database.ledger import applied, checksum
from aigym_db.verify.check import CheckFailure, check
from aigym_db.verify.context import VerifyContext


@check("HIST03", "ledger", needs="live")
def ledger(context: VerifyContext) -> Iterator[CheckFailure]:
    files = {migration.version: migration for migration in context.migrations}
    rows = {row.version: row for row in applied(context.database)}
    names = {(row.version, row.name) for row in rows.values()}
    for version, row in rows.items():
        file = files.get(version)
        if file is None or file.name != row.name:
            moved = next((one for one in context.migrations if checksum(one) == row.checksum), None)
            if moved is not None and (moved.version, moved.name) not in names:
                yield CheckFailure(
                    f"{version:04d} {row.name}, which the database has run, was renamed: its text is now "
                    f"{moved.file}.",
                    moved.up.source.place(0),
                    f"Rename it back: `git mv {moved.file} migrations/{version:04d}_{row.name}.sql`.",
                )
                continue
            yield CheckFailure(
                f"The database has run {version:04d} {row.name}, which is not in migrations/.",
                file.up.source.place(0) if file else None,
                "Bring the file back from version control, or check out the branch that has it.",
            )
        elif row.checksum != checksum(file):
            yield CheckFailure(
                f"{file.file} is not what the database ran as {file.label}.",
                file.up.source.place(0),
                "Restore the file from version control, and put the change into a new migration.",
            )
    newest = max(rows, default=0)
    for version, file in files.items():
        if version < newest and version not in rows:
            yield CheckFailure(
                f"{file.label} came after {newest:04d}, which is already applied, and never ran.",
                file.up.source.place(0),
                "Check that it does the same after what is applied already, then run "
                f"`aigym-db migrate --allow-out-of-order {version}`.",
            )
