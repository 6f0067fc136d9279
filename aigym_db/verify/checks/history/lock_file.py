"""A frozen migration that is not what LOCK says, or a LOCK that was edited.

Databases have run frozen migrations as they were. An edited one makes new databases differ from old ones, and
nobody sees it. The same goes for a line of LOCK that was changed, moved or removed.

What to do: bring the file back from version control, and put the change into a new migration.

breaks: edit migrations/0002_birds.sql: name text -> name varchar
finding: was edited after it was frozen
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.project.lock_file import frozen
from aigym_db.verify.check import CheckFailure, check
from aigym_db.verify.context import VerifyContext


@check("HIST01", "lock", needs="files")
def lock(context: VerifyContext) -> Iterator[CheckFailure]:
    frozen(context.project, context.migrations)
    return iter(())
