"""Errors of the server as errors of the package, with a place in the migration file."""

from __future__ import annotations

import re
from collections.abc import Iterable

import psycopg
from psycopg.errors import Diagnostic

from aigym_db.database.failure import explain_error
from aigym_db.database.locks import Blocker
from aigym_db.errors import LockTimeout, ServerError
from aigym_db.migrate.observer import Notice
from aigym_db.migrate.session import ledger_failure
from aigym_db.migrate.session.message import Message
from aigym_db.migrate.session.session_settings import PREPARED
from aigym_db.migrate.step import Step
from aigym_db.model.migration import Migration, Part
from aigym_db.model.source import Place, lines_of

LOCK_NOT_AVAILABLE = "55P03"
DEADLOCK = "40P01"
CANCELLED = "57014"
NEW_VALUE = "55P04"
"""A value added to an enum is used before it is committed."""
_IN_USE = "55006"
_ALTER_DATABASE = re.compile(r"alter\s+database\b", re.IGNORECASE)
_READ_ONLY = re.compile(r"read(?:_|\s+)only\b", re.IGNORECASE)
_OUR_ROLE = re.compile(r"set (?:local )?role\b")
_OUTSIDE_HINT = (
    "Write `transaction:false` on the marker line: this statement is refused inside a transaction."
)
_ROLE_HINT = (
    "Create the role in an earlier migration that says `role:none`, or correct `owner` in the configuration."
)


def statement_error(
    migration: Migration, part: Part, message: Message, done: int, failure: psycopg.Error
) -> ServerError:
    """Return the error for a message of which `done` statements succeeded and the next one failed."""
    step = message.step(done)
    error = explain_error(failure, place=place(part, message, step, failure.diag), doing=migration.label)
    detail = error.detail
    if failure.diag.internal_query:
        detail += f"\n{_query(message, failure.diag.internal_query, failure.diag.internal_position)}"
    error = error.amended(detail=detail, hint=_hint(part, message, done, failure))
    return ledger_failure.explained(error, migration, part, message, done, failure)


def _hint(part: Part, message: Message, done: int, failure: psycopg.Error) -> str | None:
    """The hint for an error that depends on the migration file; None keeps the general one."""
    state, step = failure.sqlstate, message.step(done)
    if state == "26000" and PREPARED in (failure.diag.message_primary or ""):
        return "Remove the DEALLOCATE ALL that this file runs: aigym-db has prepared statements too."
    if step is None and _OUR_ROLE.match(message.statement(done)):
        return _ROLE_HINT
    if state == "25001":
        return _OUTSIDE_HINT
    if state == "25006" and _READ_ONLY.search(part.source.text, part.start, part.end):
        return "Remove what makes the transaction read only: its ledger row has to be written in it."
    if state == NEW_VALUE:
        return "Put the use of the new value into the next migration."
    if state == _IN_USE and part.transaction and step and not _ALTER_DATABASE.match(step.text):
        return (
            "Write `set constraints all immediate` above it, or close the cursor: what is in the way is of "
            "this file itself."
        )
    return None


def _query(message: Message, text: str, position: str | None) -> str:
    """The failed query of a function, with a caret below the error position."""
    lines = lines_of(f"QUERY: {text}")
    if position:
        before = f"QUERY: {text[: message.character(text, position) - 1]}"
        lines.insert(before.count("\n") + 1, " " * len(before.rpartition("\n")[2]) + "^")
    return "\n".join(lines)


def lock_timeout(
    migration: Migration,
    place: Place | None,
    tries: int,
    waited_ms: float,
    timeout_ms: int,
    seen: Iterable[Blocker],
    what: str = "",
) -> LockTimeout:
    """Return the error for a migration whose every try ended in a lock timeout; `what` names a part of it."""
    named = tuple(seen)
    relation = next((f" on {blocker.relation}" for blocker in named if blocker.relation), "")
    return LockTimeout(
        f"{what or migration.label} did not get its lock{relation} in {tries} tries of {timeout_ms} ms over "
        f"{waited_ms / 1000:.1f} s{'' if what else '; nothing changed'}.",
        place=place,
        detail="\n".join(f"blocked by {blocker}" for blocker in named)
        or "The blocking session has already ended.",
        hint="Wait for that transaction or end it, then run this again.",
    )


def notice(message: Message | None, said: Diagnostic) -> Notice:
    """Return a notice of the server with its place."""
    at = _at(message, said)
    return Notice(
        said.severity_nonlocalized or said.severity or "NOTICE",
        said.message_primary or "",
        at[0].place(at[1]) if at else None,
        said.message_detail or "",
        said.message_hint or "",
    )


def place(part: Part, message: Message, step: Step | None, failure: Diagnostic) -> Place | None:
    """Return the place of the error position, else of the statement, else of the file's marker."""
    at = _at(message, failure)
    if at:
        return at[0].place(at[1])
    inside = message.data_place(failure.context) or _untranslatable(part, failure)
    if inside:
        return inside
    return step.place(_inline(message, step, failure)) if step else marker(part)


def _untranslatable(part: Part, failure: Diagnostic) -> Place | None:
    """The place of the first character that the database's encoding cannot represent."""
    found = re.search(r"0x[0-9a-f]{2}(?: 0x[0-9a-f]{2})*", failure.message_primary or "")
    if failure.sqlstate != "22P05" or found is None:
        return None
    character = bytes.fromhex(found[0].replace("0x", "")).decode(errors="replace")
    at = part.source.text.find(character, part.start, part.end)
    return part.source.place(at if at >= 0 else max(part.source.text.find(character), 0))


def _inline(message: Message, step: Step, failure: Diagnostic) -> int:
    """The offset of the failed line in a DO statement; 0 in any other statement."""
    found = re.search(r"inline_code_block line (\d+)", failure.context or "")
    if found is None or not re.match(r"do\b", step.text, re.IGNORECASE):
        return 0
    from pglast.parser import scan

    # PL/pgSQL counts from the line on which the body's quote stands.
    body = next((token.start for token in scan(step.text) if token.name == "SCONST"), 0)
    line = body
    for _ in range(int(found[1]) - 1):
        line = step.text.find("\n", line) + 1
        if line == 0:
            return 0
    end = step.text.find("\n", line)
    whole = step.text[line : end if end >= 0 else len(step.text)]
    query = failure.internal_query or ""
    inside = whole.find(query) if query else -1
    if inside >= 0 and failure.internal_position:
        return line + inside + message.character(query, failure.internal_position) - 1
    return max(line + len(whole) - len(whole.lstrip()), body)


def marker(part: Part) -> Place:
    """Return the place of the part's marker line."""
    return part.source.place(max(part.source.text.rfind("-- migrate:", 0, part.start), 0))


def _at(message: Message | None, said: Diagnostic) -> tuple[Step, int] | None:
    if message is None or not said.statement_position:
        return None
    return message.index(message.character(message.text, said.statement_position))
