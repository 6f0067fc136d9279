"""A frozen migration that differs from its checksum in the lock file, or an edited lock file.

Databases have applied frozen migrations with their original text. After an edit, new databases differ from
existing ones without an error. A changed, moved or removed line of the lock file hides such an edit.

What to do: restore the file from version control, and put the change into a new migration.

breaks: edit migrations/0002_birds.sql: name text -> name varchar
finding: was edited after it was frozen
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.project.lock_file import frozen
from aigym_db.verify.check import CheckFailure, check
from aigym_db.verify.context import VerifyContext


@check("HIST01", "lock", needs="files")
def frozen_files_unchanged(context: VerifyContext) -> Iterator[CheckFailure]:
    """Raise EditedFrozen (AIG-T001) or MissingMigration (AIG-T002) as `frozen` does; yield nothing."""
    frozen(context.project, context.migrations)
    return iter(())
