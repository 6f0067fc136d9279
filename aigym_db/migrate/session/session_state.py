"""What a file left behind in the session, where the next one would meet it."""

from __future__ import annotations

import re

from aigym_db.errors import SessionStateChanged
from aigym_db.migrate.session import failure
from aigym_db.migrate.session.attempt import Run
from aigym_db.migrate.step import Step
from aigym_db.model.migration import Migration, Part

_DEFINES = re.compile(r"(?:create|alter|drop|comment|grant|revoke)\b", re.IGNORECASE)
_CHANGES = re.compile(r"(?:insert|update|delete|merge)\b", re.IGNORECASE)
_FILLS = re.compile(
    r"create\s+(?:\w+\s+){0,2}?table\b.*?\bas\s*\(*\s*(?:select|with|values|execute|table)\b"
    r"|create\s+materialized\b"
    r"|alter\b.*\b(?:default|using)\b.*\("
    r"|alter\b.*\b(?:now|current_|local)",
    re.IGNORECASE | re.DOTALL,
)
_HARMLESS = re.compile(
    r"(?:comment|grant|revoke|drop)\b"
    r"|create\s+(?:or\s+replace\s+)?(?:table|view|function|procedure|trigger|policy|rule|type|domain|schema)\b"
    r"|create\s+(?:unique\s+)?index[^(]*\([^(]*$"
    r"|alter(?![^(]*\b(?:validate|type|attach|add)\b)[^(]*$",
    re.IGNORECASE,
)


def defines(step: Step) -> bool:
    """Whether a statement only defines something, and works out nothing for rows that are there or new."""
    return _DEFINES.match(step.text) is not None and _FILLS.match(step.text) is None


def harmless(step: Step) -> bool:
    """Whether a statement that defines something runs nobody's code, and so can leave nothing else."""
    return _HARMLESS.match(step.text) is not None


def changes_rows(step: Step) -> bool:
    """Whether a statement changes rows; what code that runs, in defaults and triggers, nobody can see."""
    return _CHANGES.match(step.text) is not None


def require_nothing_left(run: Run, migration: Migration, part: Part, first: Migration | None = None) -> None:
    """Nothing, when the session is as it was before the file, or before the `first` not asked about.

    Raises SessionStateChanged (AIG-G007) after cleaning the session. Only after the commit can anybody tell what was
    meant for the transaction alone, so the migration stays applied.
    """
    left, run.left = run.left, ""
    if not left:
        return
    run.clean()
    which = f"{first.label} to {migration.label} are done, and one of them" if first else ""
    raise SessionStateChanged(
        f"{which or f'{migration.label} is done, and'} left behind in the session: {left}.",
        place=failure.marker(part),
        hint="Use `set local`, `on commit drop` and `pg_advisory_xact_lock`; the session was cleaned, so "
        "run this again "
        "to go on.",
    )
