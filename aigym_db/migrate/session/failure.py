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
    "Write `transaction:false` on the marker line: this statement cannot run inside a transaction block."
)
_ROLE_HINT = (
    "Create the role in an earlier migration with `role:none`, or correct `owner` in the configuration."
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
    """Return the hint for an error that depends on the migration file; None keeps the general one."""
    state, step = failure.sqlstate, message.step(done)
    if state == "26000" and PREPARED in (failure.diag.message_primary or ""):
        return (
            "Remove the DEALLOCATE ALL from this file: it also removes the prepared statements of aigym-db."
        )
    if step is None and _OUR_ROLE.match(message.statement(done)):
        return _ROLE_HINT
    if state == "25001":
        return _OUTSIDE_HINT
    if state == "25006" and _READ_ONLY.search(part.source.text, part.start, part.end):
        return "Remove the statement that makes the transaction read-only: its ledger row is written in it."
    if state == NEW_VALUE:
        return "Put the use of the new value into the next migration."
    if state == _IN_USE and part.transaction and step and not _ALTER_DATABASE.match(step.text):
        return (
            "Write `set constraints all immediate` above it, or close the cursor: the object is in use by "
            "this file itself."
        )
    return None


def _query(message: Message, text: str, position: str | None) -> str:
    """Return the failed query of a function, with a caret below the error position."""
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
    blockers: Iterable[Blocker],
    subject: str = "",
) -> LockTimeout:
    """Return the error for a migration whose tries all ended in a lock timeout.

    `subject` names the part of the migration that was sent; empty for all of it.
    """
    blockers = tuple(blockers)
    relation = next((f" on {blocker.relation}" for blocker in blockers if blocker.relation), "")
    return LockTimeout(
        f"{subject or migration.label} did not get its lock{relation} in {tries} tries of {timeout_ms} ms "
        f"over {waited_ms / 1000:.1f} s{'' if subject else '; nothing changed'}.",
        place=place,
        detail="\n".join(f"blocked by {blocker}" for blocker in blockers)
        or "The blocking session has already ended.",
        hint="Wait for that transaction or end it, then run the command again.",
    )


def notice(message: Message | None, diagnostic: Diagnostic) -> Notice:
    """Convert a NOTICE or WARNING of the server; its place is that of the error position, if it has one."""
    position = _position(message, diagnostic)
    return Notice(
        diagnostic.severity_nonlocalized or diagnostic.severity or "NOTICE",
        diagnostic.message_primary or "",
        position[0].place(position[1]) if position else None,
        diagnostic.message_detail or "",
        diagnostic.message_hint or "",
    )


def place(part: Part, message: Message, step: Step | None, failure: Diagnostic) -> Place | None:
    """Return the place of the error position, else of the statement, else of the file's marker."""
    position = _position(message, failure)
    if position:
        return position[0].place(position[1])
    inside = message.data_place(failure.context) or _untranslatable(part, failure)
    if inside:
        return inside
    return step.place(_inline(message, step, failure)) if step else marker(part)


def _untranslatable(part: Part, failure: Diagnostic) -> Place | None:
    """Return the place of the first character that the database's encoding cannot represent."""
    byte_sequence = re.search(r"0x[0-9a-f]{2}(?: 0x[0-9a-f]{2})*", failure.message_primary or "")
    if failure.sqlstate != "22P05" or byte_sequence is None:
        return None
    character = bytes.fromhex(byte_sequence[0].replace("0x", "")).decode(errors="replace")
    offset = part.source.text.find(character, part.start, part.end)
    return part.source.place(offset if offset >= 0 else max(part.source.text.find(character), 0))


def _inline(message: Message, step: Step, failure: Diagnostic) -> int:
    """Return the offset of the failed line in a DO statement; 0 in any other statement."""
    context_line = re.search(r"inline_code_block line (\d+)", failure.context or "")
    if context_line is None or not re.match(r"do\b", step.text, re.IGNORECASE):
        return 0
    from pglast.parser import scan

    # PL/pgSQL counts lines from the one with the body's opening quote.
    body = next((token.start for token in scan(step.text) if token.name == "SCONST"), 0)
    line = body
    for _ in range(int(context_line[1]) - 1):
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


def _position(message: Message | None, diagnostic: Diagnostic) -> tuple[Step, int] | None:
    """Return the statement of the file and the offset in it that a diagnostic points to."""
    if message is None or not diagnostic.statement_position:
        return None
    return message.step_at(message.character(message.text, diagnostic.statement_position))
