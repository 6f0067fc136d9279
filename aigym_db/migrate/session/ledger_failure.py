"""Errors of the statement that writes a migration's ledger row."""

from __future__ import annotations

import psycopg

from aigym_db.database import ledger
from aigym_db.errors import ServerError, StatementFailed
from aigym_db.migrate.session.message import Message
from aigym_db.migrate.session.session_settings import PREPARED
from aigym_db.model.migration import Migration, Part

_NO_ROW = "22P02"
"""The SQLSTATE of `ledger/record` if a trigger suppressed the row."""
_NOT_THERE = ("3F", "42", "XX")
"""SQLSTATE classes that report a ledger that is missing, changed, not accessible or just dropped."""


def kept_away(what: str, outcome: str = "what it was to record was rolled back") -> StatementFailed:
    """Return the error for an event whose row a trigger suppressed."""
    return StatementFailed(
        f"{what}: a trigger keeps rows away from {ledger.EVENTS}, the ledger; {outcome}.",
        hint=f"Remove the trigger from {ledger.EVENTS}: applied is what has its row there.",
    )


def explained(
    error: ServerError,
    migration: Migration,
    part: Part,
    message: Message,
    done: int,
    failure: psycopg.Error,
) -> ServerError:
    """Return the error, reworded if the statement after `done` others was to write the ledger row."""
    statement, state = message.statement(done), failure.sqlstate or ""
    if message.step(done) or not (
        statement.startswith(f"execute {PREPARED}record") or ledger.EVENTS in statement
    ):
        return error
    steps = (message.step(number) for number in reversed(range(done)))
    named = next(
        (step for step in steps if step and step.source is part.source and "aigym_db" in step.text), None
    )
    place = named.place() if named else error.place
    if state == _NO_ROW:
        rejected = kept_away(migration.label)
        return error.amended(message=rejected.message, hint=rejected.hint, place=place)
    if state[:2] in _NOT_THERE:
        return error.amended(
            message=f"{migration.label}: the ledger was taken away or changed, so this could not be recorded "
            f"and was rolled back: {failure.diag.message_primary}",
            hint="Leave the schema aigym_db as it is: it says what this database has run.",
            place=place,
        )
    return error
