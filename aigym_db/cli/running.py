"""What `migrate`, `rollback` and `up` share."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from typing import Any, Literal

from aigym_db.cli.app import App
from aigym_db.migrate.observer import Finished
from aigym_db.migrate.options import Options


def options(
    app: App,
    dsn: str,
    frozen: frozenset[int],
    lock_wait_s: float | None = None,
    resolve: Literal["done", "again"] | None = None,
) -> Options:
    """How the project and the command line want migrations to run."""
    return Options(
        owner=app.project.owner,
        lock_timeout_ms=app.project.lock_timeout_ms,
        lock_wait_s=lock_wait_s,
        frozen=frozen,
        local=app.takes_drafts(dsn),
        git_commit=_commit(app),
        resolve=resolve,
    )


def finished_json(done: Iterable[Finished]) -> list[dict[str, Any]]:
    """Migrations as the JSON document lists them."""
    return [
        {
            "version": one.migration.version,
            "name": one.migration.name,
            "duration_ms": one.duration_ms,
            "lock_wait_ms": one.lock_wait_ms,
        }
        for one in done
    ]


def _commit(app: App) -> str | None:
    """The commit the project is at, where it is under git; it goes into the ledger."""
    folder = app.project.root / ".git"
    head = folder / "HEAD"
    try:
        text = head.read_text(encoding="ascii").strip()
        if not text.startswith("ref: "):
            return text or None
        loose = folder / text.removeprefix("ref: ")
        if loose.is_file():
            return loose.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    # Packed refs and worktrees are git's own business.
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=app.project.root,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
