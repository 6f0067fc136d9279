"""What the server said, as a refusal with a place in the file that a person edits."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
from psycopg.errors import Diagnostic

from aigym_db.database.failure import explain_error
from aigym_db.database.locks import Blocker
from aigym_db.errors import LockTimeout, ServerError
from aigym_db.migrate.message import Message
from aigym_db.migrate.observer import Notice
from aigym_db.migrate.preflight import Step
from aigym_db.model.migration import Migration, Part
from aigym_db.model.source import Place

LOCK_NOT_AVAILABLE = "55P03"
DEADLOCK = "40P01"
CANCELLED = "57014"
_OUTSIDE_HINT = (
    "Write `transaction:false` on the marker line: this statement is refused inside a transaction."
)
_ROLE_HINT = (
    "Create the role in an earlier migration that says `role:none`, or correct `owner` in the configuration."
)


def refused(
    migration: Migration, part: Part, message: Message, done: int, failure: psycopg.Error
) -> ServerError:
    """The refusal for a message whose statements up to `done` went well."""
    step = message.step(done)
    refusal = explain_error(failure, place=place(part, message, step, failure.diag), doing=migration.label)
    if failure.sqlstate == "25001":
        refusal.hint = _OUTSIDE_HINT
    if step is None and failure.sqlstate in ("22023", "42501", "42704"):
        refusal.hint = _ROLE_HINT
    if failure.diag.internal_query:
        refusal.detail += f"\nQUERY: {failure.diag.internal_query}"
    return refusal


def lock_timeout(
    migration: Migration,
    place: Place | None,
    tries: int,
    waited_ms: float,
    timeout_ms: int,
    seen: Iterable[Blocker],
) -> LockTimeout:
    """The refusal for a migration that met somebody else's lock at every try."""
    named = tuple(seen)
    relation = next((f" on {blocker.relation}" for blocker in named if blocker.relation), "")
    return LockTimeout(
        f"{migration.label} did not get its lock{relation} in {tries} tries of {timeout_ms} ms over "
        f"{waited_ms / 1000:.1f} s; nothing changed.",
        place=place,
        detail="\n".join(f"blocked by {blocker}" for blocker in named)
        or "Who held it was gone before we could ask.",
        hint="Wait for that transaction or end it, then run this again.",
    )


def notice(message: Message | None, said: Diagnostic) -> Notice:
    """A message of the server that is no failure."""
    at = _at(message, said)
    return Notice(
        said.severity_nonlocalized or said.severity or "NOTICE",
        said.message_primary or "",
        at[0].place(at[1]) if at else None,
        said.message_detail or "",
        said.message_hint or "",
    )


def place(part: Part, message: Message, step: Step | None, failure: Diagnostic) -> Place | None:
    """The character the server complains of, else where the statement begins, else the marker of the file."""
    at = _at(message, failure)
    if at:
        return at[0].place(at[1])
    return step.place() if step else marker(part)


def marker(part: Part) -> Place:
    """The line above a part that says which it is."""
    return part.source.place(max(part.source.text.rfind("-- migrate:", 0, part.start), 0))


def _at(message: Message | None, said: Diagnostic) -> tuple[Step, int] | None:
    if message is None or not said.statement_position:
        return None
    return message.index(int(said.statement_position))
