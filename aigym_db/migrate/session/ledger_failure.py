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
_UNAVAILABLE = ("3F", "42", "XX")
"""SQLSTATE classes that report a ledger that is missing, changed, not accessible or just dropped."""


def row_suppressed(event: str, consequence: str = "the migration was rolled back") -> StatementFailed:
    """Return the error for an event that is not recorded because a trigger suppressed its ledger row.

    `event` is the start of the message, for example the label of a migration; `consequence` is the clause at
    its end.
    """
    return StatementFailed(
        f"{event}: a trigger suppresses rows of {ledger.EVENTS}, the ledger; {consequence}.",
        hint=f"Remove the trigger from {ledger.EVENTS}: a migration is applied only with its row there.",
    )


def explained(
    error: ServerError,
    migration: Migration,
    part: Part,
    message: Message,
    done: int,
    failure: psycopg.Error,
) -> ServerError:
    """Return the error, with another message if statement `done` (from 0) writes the ledger row."""
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
        suppressed = row_suppressed(migration.label)
        return error.amended(message=suppressed.message, hint=suppressed.hint, place=place)
    if state[:2] in _UNAVAILABLE:
        return error.amended(
            message=f"{migration.label}: the ledger was dropped or changed, so the migration could not be "
            f"recorded and was rolled back: {failure.diag.message_primary}",
            hint="Do not change the schema aigym_db: it records which migrations this database has run.",
            place=place,
        )
    return error
