"""What `migrate`, `rollback` and `up` share."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

from aigym_db.cli.app import App
from aigym_db.errors import AigymError, ResumableError, ServerError
from aigym_db.migrate.options import Options
from aigym_db.model.migration import Migration, Phase
from aigym_db.report.progress import Watching, finished_json


def options(
    app: App,
    dsn: str | None,
    frozen: frozenset[int],
    lock_wait_s: float | None = None,
    resolve: Literal["done", "again"] | None = None,
    *,
    phase: Phase | None = None,
    out_of_order: Iterable[int] = (),
) -> Options:
    """How the project and the command line want migrations to run on `dsn`; None stands for others than the
    local database."""
    local = dsn is not None and app.takes_drafts(dsn)
    return Options(
        owner=app.project.owner,
        search_path=app.project.search_path,
        lock_timeout_ms=app.project.lock_timeout_ms,
        lock_wait_s=lock_wait_s,
        frozen=frozen,
        local=local,
        # The local database is made from nothing, where some file is always outside a transaction.
        transaction="run" if app.project.transaction == "run" and not local else "migration",
        durable=app.project.durable,
        git_commit=_commit(app),
        resolve=resolve,
        phase=phase,
        out_of_order=frozenset(out_of_order),
    )


@contextmanager
def watched(
    app: App, files: Iterable[Migration], finished: Literal["applied", "undone"]
) -> Iterator[Watching]:
    """Shows a run, and lists in the JSON document what it `finished`, also where it ends half-way."""
    with Watching(app.report) as watching:
        try:
            yield watching
        except (ServerError, ResumableError) as refusal:
            add_origin(app, files, refusal)
            raise
        finally:
            app.report.data[finished] = finished_json(watching.finished_all.values())


def add_origin(app: App, files: Iterable[Migration], refusal: AigymError) -> None:
    """Adds to a refusal the template that the failing line was drafted from, if there is one."""
    from aigym_db.project.origins import origin

    place = refusal.place
    for migration in files:
        if place is not None and migration.file == place.file:
            made_from = origin(app.project, migration, place)
            refusal.detail += f"\nTEMPLATE: {made_from}" if made_from else ""


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
