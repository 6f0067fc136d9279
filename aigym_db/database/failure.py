"""Errors of PostgreSQL as errors of the package, with a hint by SQLSTATE."""

from __future__ import annotations

import re

import psycopg

from aigym_db.errors import ConnectionLost, LockTimeout, ReadOnly, ServerError, StatementFailed
from aigym_db.model.source import Place

_LOST = ("57P01", "57P02", "57P03", "57P05", "25P03", "25P04")
"""The server ended the session: shutdown, crash or idle timeout."""

_HINTS = {
    "22": "Correct the value, or the data it conflicts with, and run the command again.",
    "23": "Bring the data in line with the constraint first, or change the constraint.",
    "28": "Check the user, its password and pg_hba.conf.",
    "40": "Run the command again: the transaction conflicted with a concurrent one.",
    "42501": "Run as a role that has the privilege, or grant it.",
    **dict.fromkeys(
        ("42701", "42710", "42712", "42723", "42P04", "42P06", "42P07"),
        "Find out what created the existing object; then rename one of the two, or remove the statement.",
    ),
    "42": "Correct the statement: it is invalid, or refers to an object that does not exist.",
    "53": "Free disk space, memory or connections on the server, then run the command again.",
    "54": "Split the statement: it exceeds a limit of PostgreSQL.",
    "55006": "Wait until the object is not in use, then run the command again.",
    "57014": "Raise the timeout if the statement needs longer, then run the command again.",
    "XX": "Read the server's log: PostgreSQL reports an internal error.",
}


def explain_error(error: psycopg.Error, *, place: Place | None = None, doing: str = "") -> ServerError:
    """Return the error for an exception of psycopg, with SQLSTATE, DETAIL, HINT and CONTEXT in `detail`.

    `place` is the position of the statement, from `error.diag.statement_position`. `doing` begins the
    message, for example `Migration 0042 failed`.
    """
    kind, hint = _kind(error)
    primary = first_line(error)
    message = f"{doing}: {primary}" if doing else _sentence(kind, primary)
    return kind(message, place=place, detail=_detail(error), hint=hint)


def first_line(error: psycopg.Error) -> str:
    """Return the server's primary message."""
    return _hidden(
        error.diag.message_primary or str(error).strip().partition("\n")[0] or type(error).__name__
    )


def _kind(error: psycopg.Error) -> tuple[type[ServerError], str]:
    state = error.sqlstate
    if state in _LOST or ((state or "08").startswith("08") and isinstance(error, psycopg.OperationalError)):
        return (
            ConnectionLost,
            "Run the command again once the server accepts connections: it resumes where this one stopped.",
        )
    if state == "55P03":
        return LockTimeout, "Run the command again when the table is less busy, or end the blocking session."
    if state == "25006":
        return ReadOnly, "Connect to the primary server, as a role whose transactions may write."
    if state == "42501" and "row-level security" in (error.diag.message_primary or ""):
        # The session has row_security off: a policy that hides rows raises an error instead.
        return (
            StatementFailed,
            "Run as a role with BYPASSRLS, or disable FORCE ROW LEVEL SECURITY for the change.",
        )
    hint = _HINTS.get(state or "") or _HINTS.get((state or "")[:2])
    return (
        StatementFailed,
        hint or "Read the message of PostgreSQL, correct the statement and run the command again.",
    )


def _sentence(kind: type[ServerError], primary: str) -> str:
    begin = {
        ConnectionLost: "The connection to the server was lost",
        LockTimeout: "Lock timeout",
    }
    return f"{begin.get(kind, 'PostgreSQL reported an error')}: {primary}"


def _detail(error: psycopg.Error) -> str:
    diag = error.diag
    lines = [
        f"SQLSTATE: {error.sqlstate}" if error.sqlstate else "",
        f"DETAIL: {diag.message_detail}" if diag.message_detail else "",
        f"HINT: {diag.message_hint}" if diag.message_hint else "",
        f"CONTEXT: {diag.context}" if diag.context else "",
    ]
    if not error.sqlstate:
        lines += [line.strip() for line in str(error).splitlines()[1:]]
    return _hidden("\n".join(line for line in lines if line))


def _hidden(text: str) -> str:
    # CONTEXT quotes statements, which may contain a password.
    return re.sub(r"(?i)(password\s+E?)'(?:[^']|'')*'", r"\1'***'", text)
