"""The ledger: what aigym-db did to this database, event by event, and the present that follows from it.

Schema `aigym_db` holds one append-only table, `event`, and the view `applied`. Everybody may read the view;
only the role that made the ledger writes events. Nothing here starts or ends a transaction that the caller
began.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import psycopg
from psycopg import Connection
from psycopg.pq import Escaping, TransactionStatus

from aigym_db import __version__
from aigym_db.database.queries import query
from aigym_db.errors import ReadOnly
from aigym_db.model.migration import Applied, Direction, Migration

ALGORITHM = "sha256"
_MAKING = (
    "create_schema",
    "create_kind",
    "create_event",
    "create_guard",
    "create_trigger",
    "create_trigger_always",
    "create_applied",
    "create_grant_schema",
    "create_grant_applied",
)

Kind = Literal["start", "apply", "fail", "revert", "adopt", "repair", "intent", "done"]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; server version, role, address and time are filled in by the server."""

    kind: Kind
    version: int | None = None
    name: str | None = None
    checksum: str | None = None
    """With its algorithm in front: `sha256:…`."""
    direction: Direction | None = None
    statement: int | None = None
    """Which statement of a migration outside a transaction, from 1."""
    sql: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    duration_ms: Any = None
    lock_wait_ms: Any = None
    git_commit: str | None = None

    def parameters(self) -> dict[str, Any]:
        """What `ledger/record` is filled with."""
        return {
            "kind": self.kind,
            "version": self.version,
            "name": self.name,
            "checksum": self.checksum,
            "direction": self.direction,
            "statement": self.statement,
            "sql": self.sql,
            "detail": json.dumps(dict(self.detail)),
            "duration_ms": None if self.duration_ms is None else json.dumps(self.duration_ms),
            "lock_wait_ms": None if self.lock_wait_ms is None else json.dumps(self.lock_wait_ms),
            "git_commit": self.git_commit,
            "tool_version": __version__,
            "host": _host(),
        }


@dataclass(frozen=True, slots=True)
class Journalled:
    """What the journal says of one statement of a migration outside a transaction."""

    kind: Literal["intent", "done", "fail"]
    statement: int | None
    checksum: str | None
    sql: str | None
    detail: Mapping[str, Any]
    backend: int


@dataclass(frozen=True, slots=True)
class Rights:
    """Why a session could not migrate."""

    standby: bool
    read_only: bool
    may_write: bool
    who: str


def checksum(migration: Migration) -> str:
    """A migration's checksum as the ledger keeps it, with its algorithm."""
    return f"{ALGORITHM}:{migration.checksum}"


def applied(connection: Connection[Any]) -> tuple[Applied, ...]:
    """Which migrations this database has run and not undone, oldest first; none when there is no ledger yet.

    One query, no lock, no write: also for a role that may only read, and on a standby.
    Raises ReadOnly (AIG-S005) when the role may not even read the view.
    """
    nested = connection.info.transaction_status is not TransactionStatus.IDLE or not connection.autocommit
    try:
        with connection.transaction() if nested else nullcontext():
            rows = connection.execute(query("ledger/applied")).fetchall()
    except psycopg.errors.UndefinedTable:
        return ()
    except psycopg.errors.InsufficientPrivilege as refusal:
        raise ReadOnly(
            f"The role {connection.info.user} may not read the ledger: {refusal.diag.message_primary}.",
            hint=f"Run `grant usage on schema aigym_db to {connection.info.user}` "
            "and `grant select on aigym_db.applied to …` as the ledger's owner.",
        ) from None
    return tuple(Applied(*row) for row in rows)


def create(connection: Connection[Any]) -> bool:
    """Makes the ledger if there is none, in one transaction; says whether it made it.

    Safe when several sessions do so at once.
    """
    if exists(connection):
        return False
    with connection.transaction():
        connection.execute(query("ledger/create_lock"))
        if exists(connection):
            return False
        for statement in _MAKING:
            connection.execute(query(f"ledger/{statement}"))
    return True


def exists(connection: Connection[Any]) -> bool:
    """Whether this database has a ledger."""
    return bool(_one(connection, "ledger/exists")[0])


def record(connection: Connection[Any], event: Event) -> None:
    """Writes one event, in the caller's transaction if there is one."""
    connection.execute(query("ledger/record"), event.parameters())


def record_text(connection: Connection[Any], event: Event, *, duration_sql: str | None = None) -> str:
    """The statement that writes an event, all values quoted into it, to be sent together with others.

    `duration_sql` is an expression of type jsonb the server works out while it writes.
    """
    escape = Escaping(connection.pgconn).escape_literal

    def literal(value: Any) -> str:
        if value is None or isinstance(value, int):
            return "null" if value is None else str(value)
        return bytes(escape(value.encode())).decode()

    values = {name: literal(value) for name, value in event.parameters().items()}
    if duration_sql is not None:
        values["duration_ms"] = duration_sql
    return query("ledger/record") % values


def stored_sql(connection: Connection[Any], version: int) -> str | None:
    """The text of the migration file this database ran; None when the ledger does not say or may not be
    read."""
    try:
        row = connection.execute(query("ledger/stored_sql"), {"version": version}).fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
        return None
    return None if row is None else str(row[0])


def journal(connection: Connection[Any], version: int, direction: Direction) -> tuple[Journalled, ...]:
    """How far a migration outside a transaction came since it was last applied or undone, oldest first."""
    rows = connection.execute(
        query("ledger/journal"), {"version": version, "direction": direction}
    ).fetchall()
    return tuple(Journalled(*row) for row in rows)


def took_ms(connection: Connection[Any], backend: int, versions: Iterable[int]) -> tuple[float, ...]:
    """What each of these migrations took that the session `backend` has committed, in the order it did."""
    parameters = {"backend": backend, "versions": list(versions)}
    rows = connection.execute(query("ledger/took"), parameters).fetchall()
    return tuple(row[0] for row in rows)


def rights(connection: Connection[Any]) -> Rights:
    """What keeps this session from migrating, if anything does."""
    return Rights(*_one(connection, "ledger/may_write"))


def marked_production(connection: Connection[Any]) -> bool:
    """Whether somebody said `alter database … set aigym.environment = 'production'`.

    Every role can read it, a session cannot unsay it, and a clone of the database does not inherit it.
    """
    return bool(_one(connection, "ledger/marked_production")[0])


def _one(connection: Connection[Any], name: str) -> tuple[Any, ...]:
    row = connection.execute(query(name)).fetchone()
    assert row is not None
    return tuple(row)


@cache
def _host() -> str:
    return socket.gethostname()
