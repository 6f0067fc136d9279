"""Details about edited and missing migrations, from the SQL that the ledger stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection

from aigym_db.database import ledger
from aigym_db.errors import EditedMigration, MissingMigration
from aigym_db.model.migration import Applied, Migration
from aigym_db.model.source import lines_of
from aigym_db.project.applied_files import edited_migrations, missing_migrations


@contextmanager
def explained(
    connection: Connection[Any],
    migrations: tuple[Migration, ...],
    scope: str = "",
    frozen: frozenset[int] | None = None,
) -> Iterator[None]:
    """Add details to errors raised in the block.

    EditedMigration receives the difference to the stored SQL, MissingMigration the command that restores the
    file. `frozen` are the versions in the lock file, for a database that accepts drafts: an edited draft has
    a hint of its own, because version control may not contain the text that was applied.
    """
    try:
        yield
    except EditedMigration as error:
        rows = ledger.applied(connection, scope)
        edited = edited_migrations(migrations, rows)
        texts = (_difference(connection, migration, scope) for migration in edited)
        drafts = not scope and frozen is not None and all(file.version not in frozen for file in edited)
        hint = _hint_for_drafts(edited, rows) if drafts else None
        raise error.amended(detail="\n".join(filter(None, texts)), hint=hint) from None
    except MissingMigration as error:
        here = {migration.checksum for migration in migrations}
        rows = missing_migrations(migrations, ledger.applied(connection, scope))
        missing = (row for row in rows if row.file_checksum not in here)
        raise error.amended(detail=kept(connection, missing, scope)) from None


def kept(connection: Connection[Any], rows: Iterable[Applied], scope: str = "") -> str:
    """Return one line for each migration whose SQL the ledger stores: the command that restores its file."""
    return "\n".join(
        f"The ledger contains its SQL: `aigym-db status --sql {row.version} > {row.file}`."
        for row in rows
        # `aigym-db status --sql` reads only the ledger rows that belong to no tenant.
        if not scope and ledger.stored_sql(connection, row.version) is not None
    )


def _hint_for_drafts(edited: tuple[Migration, ...], rows: Iterable[Applied]) -> str:
    before = max((row.version for row in rows if row.version < edited[0].version), default=0)
    files, them = ("file", "it") if len(edited) == 1 else ("files", "them")
    restore = ", ".join(f"`aigym-db status --sql {file.version} > {file.file}`" for file in edited)
    return (
        f"Save a copy of the edited {files}, restore what was applied with {restore}, and roll {them} back "
        f"with `aigym-db rollback --to {before}`. Then put the copy in place and run `aigym-db migrate`."
    )


def _difference(connection: Connection[Any], migration: Migration, scope: str) -> str:
    stored = ledger.stored_sql(connection, migration.version, scope)
    if stored is None:
        return ""
    # Imported here: at the top of the file it would slow every run down.
    import difflib

    before, after = lines_of(stored), lines_of(migration.up.source.text)
    return "\n".join(
        difflib.unified_diff(before, after, "as applied to this database", migration.file, lineterm="")
    )
