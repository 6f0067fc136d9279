"""A LOCK that is not the main branch's LOCK plus lines.

A file and its line in LOCK can be edited together, and then they agree. What is on the main branch has been
run by somebody, so a branch may only add lines to it.

It looks at `origin/HEAD`, `origin/main`, `origin/master`, `main` or `master`, whichever is there first;
without git it has nothing to compare with and finds nothing.

What to do: restore LOCK and the frozen files from the main branch, and put the change into a new migration.

breaks: edit migrations/LOCK: 0002_birds.sql -> 0002_fowl.sql
finding: has another line in the place of `0002_birds.sql`
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from itertools import zip_longest

from aigym_db.model.source import Source
from aigym_db.project.config import Project
from aigym_db.verify.check import CheckFailure, check
from aigym_db.verify.context import VerifyContext

_BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
_HELP = "Restore migrations/LOCK and the files it names from the main branch; new migrations come after them."


@check("HIST02", "lock-grows", needs="files")
def lock_grows(context: VerifyContext) -> Iterator[CheckFailure]:
    path = context.project.root / "migrations" / "LOCK"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    branch, before = _on_main(context.project)
    at = 0
    for mine, theirs in zip_longest(text.splitlines(), before.splitlines()):
        if theirs is None:
            return
        if mine != theirs:
            place = Source("migrations/LOCK", text).place(at)
            said = "lacks" if mine is None else "has another line in the place of"
            yield CheckFailure(f"LOCK {said} `{theirs[66:]}`, which {branch} has frozen.", place, _HELP)
            return
        at += len(mine) + 1


def _on_main(project: Project) -> tuple[str, str]:
    for branch in _BRANCHES:
        try:
            found = subprocess.run(
                ["git", "-C", str(project.root), "show", f"{branch}:./migrations/LOCK"],
                capture_output=True,
                check=False,
                text=True,
                encoding="utf-8",
            )
        except FileNotFoundError:
            break
        if found.returncode == 0:
            return branch, found.stdout
    return "", ""
