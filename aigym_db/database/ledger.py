"""The ledger: the events of migrations in this database, and the applied migrations derived from them.

Schema `aigym_db` contains one append-only table, `event`, and the view `applied`. Every role may read the
view; only the owner of the ledger inserts events. The functions never begin or end the caller's transaction.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import psycopg
from psycopg import Connection
from psycopg.pq import Escaping, TransactionStatus

from aigym_db.database.queries import query
from aigym_db.errors import ReadOnly, UnknownLedger
from aigym_db.model.migration import Applied, Direction, Migration
from aigym_db.version import __version__

ALGORITHM = "sha256"
EVENTS = "aigym_db.event"
_CREATE = (
    "create_schema",
    "create_kind",
    "create_event",
    "create_scope_index",
    "create_guard",
    "create_trigger",
    "create_trigger_always",
    "create_applied",
    "create_grant_schema",
    "create_grant_applied",
)
"""The statements that create the ledger, in order."""

_PIECE = 250_000
"""Maximum number of characters of a text that are encoded at a time."""
_JSON = ("detail", "duration_ms", "lock_wait_ms")
"""The columns of type jsonb."""
_HEADER, _TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
"""The header and the trailer of COPY's binary format, in which the server does not search a long text for its
end."""

Kind = Literal["start", "apply", "fail", "rollback", "adopt", "repair", "intent", "done"]


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the ledger; the server adds its version, the role, the client's address and the time."""

    kind: Kind
    version: int | None = None
    name: str | None = None
    checksum: str | None = None
    """With its algorithm as a prefix, `sha256:…`."""
    direction: Direction | None = None
    statement: int | None = None
    """The number of the statement in a non-transactional migration, from 1."""
    sql: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    duration_ms: Any = None
    lock_wait_ms: Any = None
    git_commit: str | None = None
    scope: str = ""
    """The tenant schema that was migrated; empty for the database itself."""

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of `ledger/record`."""
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
            "scope": self.scope,
            "tool_version": __version__,
            "host": _host(),
        }


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """The journal entry of one statement of a non-transactional migration."""

    kind: Literal["intent", "done", "fail"]
    statement: int | None
    checksum: str | None
    sql: str | None
    detail: Mapping[str, Any]
    backend: int


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of a session on the ledger."""

    standby: bool
    read_only: bool
    missing_grant: str | None
    """The GRANT statement that the role lacks to read and write the ledger; None if it lacks none."""
    who: str
    """The role of the session."""


def checksum(migration: Migration) -> str:
    """Return a migration's checksum as stored in the ledger, with its algorithm as a prefix."""
    return f"{ALGORITHM}:{migration.checksum}"


def applied(connection: Connection[Any], scope: str = "") -> tuple[Applied, ...]:
    """Return the applied migrations of the database, or of its tenant schema `scope`, oldest first.

    The result is empty if there is no ledger. One query without locks and writes, so a standby or a role that
    may only read suffices. Raise UnknownLedger (AIG-T008) if the ledger has another format, ReadOnly
    (AIG-S005) if the role may not read the view, and LockTimeout (AIG-S004) if another session has locked it.
    """
    try:
        with known_format(connection):
            rows = connection.execute(query("ledger/applied"), {"scope": scope}).fetchall()
    except psycopg.errors.UndefinedTable:
        return ()
    except psycopg.errors.LockNotAvailable:
        if _nested(connection):
            raise
        from aigym_db.database.locks import held_by_others

        raise held_by_others(connection, EVENTS) from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise ReadOnly(
            f"The role {connection.info.user} may not read the ledger: {error.diag.message_primary}.",
            hint=f"Run `grant usage on schema aigym_db to {connection.info.user}` "
            "and `grant select on aigym_db.applied to …` as the ledger's owner.",
        ) from None
    return tuple(Applied(*row) for row in rows)


def create(connection: Connection[Any]) -> bool:
    """Create the ledger if there is none, and return True if it was created.

    Uses one transaction and is safe in concurrent sessions.
    """
    if exists(connection):
        return False
    with connection.transaction():
        connection.execute(query("ledger/create_lock"))
        if exists(connection):
            return False
        for statement in _CREATE:
            connection.execute(query(f"ledger/{statement}"))
    return True


def exists(connection: Connection[Any]) -> bool:
    """Return True if this database has a ledger."""
    return bool(_one(connection, "ledger/exists")[0])


@contextmanager
def known_format(connection: Connection[Any]) -> Iterator[None]:
    """Raise UnknownLedger (AIG-T008) if a query in the block fails because the ledger has another format.

    Without a ledger, raise the query's UndefinedTable. Errors do not abort an open transaction.
    """
    try:
        with connection.transaction() if _nested(connection) else nullcontext():
            yield
    except psycopg.errors.UndefinedTable:
        require_complete(connection)
        raise
    except (
        psycopg.errors.UndefinedColumn,
        psycopg.errors.UndefinedObject,
        psycopg.errors.InvalidTextRepresentation,
    ) as error:
        raise _unknown(error.diag.message_primary or "") from None


def require_complete(connection: Connection[Any]) -> None:
    """Raise UnknownLedger (AIG-T008) if the ledger lacks a table, view, type or column; none at all is
    accepted."""
    missing = _one(connection, "ledger/missing_parts")[0]
    if missing is not None:
        raise _unknown(f"Missing: {missing}")


def _unknown(detail: str) -> UnknownLedger:
    return UnknownLedger(
        "The ledger of this database, schema aigym_db, was changed or was created by another version of "
        "aigym-db.",
        detail=detail,
        hint="Use the version of aigym-db that created it, or restore the schema aigym_db from a backup. If "
        "the data is not needed, drop the database, create it again and run `aigym-db migrate`.",
    )


def _nested(connection: Connection[Any]) -> bool:
    """Return True if a query of this connection is part of a larger transaction."""
    return connection.info.transaction_status is not TransactionStatus.IDLE or not connection.autocommit


def record(connection: Connection[Any], event: Event) -> None:
    """Record one event, in the caller's transaction if there is one."""
    connection.execute(query("ledger/record"), event.parameters())


def record_text(connection: Connection[Any], event: Event) -> str:
    """Return the statement that records an event, with its values as literals, for a message of several
    statements."""
    return query("ledger/record") % literals(connection, event)


def copy_text(event: Event) -> str:
    """Return the COPY statement that records an event from `copy_data`, for texts too long for a literal."""
    return query("ledger/record_long").format(columns=", ".join(event.parameters()))


def copy_data(event: Event) -> Iterator[bytes]:
    """Return the data of that COPY statement, in pieces."""
    parameters = event.parameters()
    yield _HEADER + struct.pack("!h", len(parameters))
    for name, value in parameters.items():
        if value is None:
            yield struct.pack("!i", -1)
        elif isinstance(value, int):
            yield struct.pack("!ii", 4, value)
        else:
            version = b"\1" if name in _JSON else b""
            yield struct.pack("!i", len(version) + sum(map(len, _encoded(value)))) + version
            yield from _encoded(value)
    yield _TRAILER


def _encoded(text: str) -> Iterator[bytes]:
    return (text[start : start + _PIECE].encode() for start in range(0, len(text), _PIECE))


def literals(connection: Connection[Any], event: Event) -> dict[str, str]:
    """Return the parameters of `ledger/record` as SQL literals."""
    escape = Escaping(connection.pgconn).escape_literal

    def literal(value: Any) -> str:
        if value is None or isinstance(value, int):
            return "null" if value is None else str(value)
        return bytes(escape(value.encode())).decode()

    return {name: literal(value) for name, value in event.parameters().items()}


def stored_sql(connection: Connection[Any], version: int, scope: str = "") -> str | None:
    """Return the text of the migration file as applied, or None if the ledger lacks it or is not readable.

    Raise UnknownLedger (AIG-T008) if the ledger has another format.
    """
    parameters = {"version": version, "scope": scope}
    try:
        with known_format(connection):
            row = connection.execute(query("ledger/stored_sql"), parameters).fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
        return None
    return None if row is None else str(row[0])


def journal(
    connection: Connection[Any], version: int, direction: Direction, scope: str = ""
) -> tuple[JournalEntry, ...]:
    """Return the journal of a non-transactional migration since it was last applied or rolled back, oldest
    first."""
    parameters = {"version": version, "direction": direction, "scope": scope}
    rows = connection.execute(query("ledger/journal"), parameters).fetchall()
    return tuple(JournalEntry(*row) for row in rows)


def durations_ms(connection: Connection[Any], backend: int, versions: Iterable[int]) -> tuple[float, ...]:
    """Return the durations of those of the migrations that the session `backend` has committed, in the order
    of their commits."""
    parameters = {"backend": backend, "versions": list(versions)}
    rows = connection.execute(query("ledger/durations"), parameters).fetchall()
    return tuple(row[0] for row in rows)


def rights(connection: Connection[Any]) -> Rights:
    """Return what prevents this session from migrating, if anything."""
    return Rights(*_one(connection, "ledger/may_write"))


def marked_production(connection: Connection[Any]) -> bool:
    """Return True if the database has the setting `aigym.environment = 'production'` (ALTER DATABASE … SET).

    Every role can read it, a session cannot override it, and a clone of the database does not inherit it.
    """
    return bool(_one(connection, "ledger/marked_production")[0])


def _one(connection: Connection[Any], name: str) -> tuple[Any, ...]:
    row = connection.execute(query(name)).fetchone()
    assert row is not None
    return tuple(row)


@cache
def _host() -> str:
    return socket.gethostname()
