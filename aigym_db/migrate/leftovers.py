"""What a file left behind in the session, where the next one would meet it."""

from __future__ import annotations

import re

from aigym_db.errors import LeftBehind
from aigym_db.migrate import failure
from aigym_db.migrate.preflight import Step
from aigym_db.migrate.run import Run
from aigym_db.model.migration import Migration, Part

_DEFINES = re.compile(r"(?:create|alter|drop|comment|grant|revoke)\b", re.IGNORECASE)


def may_leave_anything(step: Step) -> bool:
    """Whether a statement runs code, and so may leave a prepared statement or an advisory lock behind."""
    return _DEFINES.match(step.text) is None


def require_nothing_left(run: Run, migration: Migration, part: Part) -> None:
    """Nothing, when the session is as it was before the file.

    Raises LeftBehind (AIG-G007) after cleaning the session. Only after the commit can anybody tell what was
    meant for the transaction alone, so the migration stays applied.
    """
    left, run.left = run.left, ""
    if not left:
        return
    run.clean()
    raise LeftBehind(
        f"{migration.label} is done, and left behind in the session: {left}.",
        place=failure.marker(part),
        hint="Use `set local`, `on commit drop` and `pg_advisory_xact_lock`; the session was cleaned, so "
        "run this again "
        "to go on.",
    )
