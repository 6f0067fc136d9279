"""A lock file that changes or lacks a line of the main branch's lock file.

A file and its line in the lock file can be edited together so that they match. Migrations on the main branch
may already be applied to databases, so a branch may only append lines. The exception is a history that was
written anew, before any database had it: `# history 2: REASON` as the first line, with an increased number.

The check compares with the first existing branch of `origin/HEAD`, `origin/main`, `origin/master`, `main` and
`master`. Without git it reports nothing.

What to do: restore LOCK and the frozen files from the main branch, and put the change into a new migration.

breaks: edit migrations/LOCK: 0002_birds.sql -> 0002_fowl.sql
finding: has another line instead of `0002_birds.sql`
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from itertools import zip_longest

from aigym_db.model.source import Source, lines_of
from aigym_db.project.config import Project
from aigym_db.project.lock_file import history_number
from aigym_db.verify.check import CheckFailure, check
from aigym_db.verify.context import VerifyContext

_BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
_HELP = "Restore migrations/LOCK and the files it names from the main branch; new migrations come after them."


@check("HIST02", "lock-grows", needs="files")
def lock_grows(context: VerifyContext) -> Iterator[CheckFailure]:
    """Yield a failure for the first line of the main branch's lock file that this one lacks or changes."""
    path = context.project.root / "migrations" / "LOCK"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    branch, before = _on_main(context.project)
    if history_number(text) > history_number(before):
        return
    offset = 0
    for mine, theirs in zip_longest(lines_of(text), lines_of(before)):
        if theirs is None:
            return
        if mine != theirs:
            place = Source("migrations/LOCK", text).place(offset)
            difference = "lacks" if mine is None else "has another line instead of"
            yield CheckFailure(
                f"LOCK {difference} `{theirs[66:]}`, which is frozen on {branch}.", place, _HELP
            )
            return
        offset += len(mine) + 1


def _on_main(project: Project) -> tuple[str, str]:
    for branch in _BRANCHES:
        try:
            result = subprocess.run(
                ["git", "-C", str(project.root), "show", f"{branch}:./migrations/LOCK"],
                capture_output=True,
                check=False,
                text=True,
                encoding="utf-8",
            )
        except FileNotFoundError:
            break
        if result.returncode == 0:
            return branch, result.stdout
    return "", ""
