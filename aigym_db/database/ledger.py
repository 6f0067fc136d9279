"""The ledger: the events of migrations in this database, and the applied migrations derived from them.

Schema `aigym_db` contains one append-only table, `event`, and the view `applied`. Every role may read the
view; only the owner of the ledger inserts events. The functions never begin or end the caller's transaction.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import psycopg
from psycopg import Connection
from psycopg.pq import Escaping, TransactionStatus

from aigym_db.database.queries import query
from aigym_db.errors import ReadOnly
from aigym_db.model.migration import Applied, Direction, Migration
from aigym_db.version import __version__

ALGORITHM = "sha256"
EVENTS = "aigym_db.event"
_MAKING = {
    "ledger": (
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
    ),
    "scope": ("add_scope", "create_scope_index", "create_applied"),
}
"""The statements that create each part that `ledger/lacking` may report as missing: the whole ledger, or the
parts that a ledger of an earlier version lacks."""

_PIECE = 250_000
_JSON = ("detail", "duration_ms", "lock_wait_ms")
_BEGINNING, _END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
"""Of the binary format of COPY, in which the server need not look for the end of a long text."""

Kind = Literal["start", "apply", "fail", "rollback", "adopt", "repair", "intent", "done"]


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
    scope: str = ""
    """The tenant schema that was migrated; empty for the database itself."""

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
    """Why a session could not migrate."""

    standby: bool
    read_only: bool
    missing_grant: str | None
    """What its role has to be granted to read and write the ledger; None when it may."""
    who: str


def checksum(migration: Migration) -> str:
    """A migration's checksum as the ledger keeps it, with its algorithm."""
    return f"{ALGORITHM}:{migration.checksum}"


def applied(connection: Connection[Any], scope: str = "") -> tuple[Applied, ...]:
    """Return the applied migrations, oldest first; none if there is no ledger yet.

    With `scope` the same of one tenant schema. One query, no lock, no write: also for a role that may only
    read, and on a standby. A ledger of an earlier aigym-db, which knows no scopes, is read as it is.
    Raises ReadOnly (AIG-S005) when the role may not even read the view, and LockTimeout (AIG-S004).
    """
    nested = connection.info.transaction_status is not TransactionStatus.IDLE or not connection.autocommit
    try:
        with connection.transaction() if nested else nullcontext():
            rows = connection.execute(query("ledger/applied"), {"scope": scope}).fetchall()
    except psycopg.errors.UndefinedTable:
        return ()
    except psycopg.errors.UndefinedColumn:
        rows = [] if scope else connection.execute(query("ledger/applied_unscoped")).fetchall()
    except psycopg.errors.LockNotAvailable:
        if nested:
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
    """Create the ledger or its missing parts, and return True if anything was created.

    Uses one transaction and is safe in concurrent sessions. Raise ReadOnly (AIG-S005) if the ledger has to be
    changed and belongs to another role.
    """
    if not _lacking(connection):
        return False
    with connection.transaction():
        connection.execute(query("ledger/create_lock"))
        lacking = _lacking(connection)
        for component, owner in lacking.items():
            try:
                for statement in _MAKING[component]:
                    connection.execute(query(f"ledger/{statement}"))
            except psycopg.errors.InsufficientPrivilege as error:
                raise _not_the_owner(error, owner) from None
    return bool(lacking)


def exists(connection: Connection[Any]) -> bool:
    """True if this database has a ledger."""
    return "ledger" not in _lacking(connection)


def record(connection: Connection[Any], event: Event) -> None:
    """Record one event, in the caller's transaction if there is one."""
    connection.execute(query("ledger/record"), event.parameters())


def record_text(connection: Connection[Any], event: Event) -> str:
    """The statement that writes an event, all values quoted into it, to be sent together with others."""
    return query("ledger/record") % literals(connection, event)


def copy_text(event: Event) -> str:
    """The COPY that writes an event from `copy_data`, for a text too long to be quoted into a statement."""
    return query("ledger/record_long").format(columns=", ".join(event.parameters()))


def copy_data(event: Event) -> Iterator[bytes]:
    """The row of an event, in pieces."""
    parameters = event.parameters()
    yield _BEGINNING + struct.pack("!h", len(parameters))
    for name, value in parameters.items():
        if value is None:
            yield struct.pack("!i", -1)
        elif isinstance(value, int):
            yield struct.pack("!ii", 4, value)
        else:
            version = b"\1" if name in _JSON else b""
            yield struct.pack("!i", len(version) + sum(map(len, _encoded(value)))) + version
            yield from _encoded(value)
    yield _END


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
    """Return the text of the migration file as applied, or None if the ledger lacks it or is not readable."""
    parameters = {"version": version, "scope": scope}
    try:
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


def took_ms(connection: Connection[Any], backend: int, versions: Iterable[int]) -> tuple[float, ...]:
    """What each of these migrations took that the session `backend` has committed, in the order it did."""
    parameters = {"backend": backend, "versions": list(versions)}
    rows = connection.execute(query("ledger/took"), parameters).fetchall()
    return tuple(row[0] for row in rows)


def rights(connection: Connection[Any]) -> Rights:
    """Return what prevents this session from migrating, if anything."""
    return Rights(*_one(connection, "ledger/may_write"))


def marked_production(connection: Connection[Any]) -> bool:
    """Return True if the database has the setting `aigym.environment = 'production'` (ALTER DATABASE … SET).

    Every role can read it, a session cannot override it, and a clone of the database does not inherit it.
    """
    return bool(_one(connection, "ledger/marked_production")[0])


def _lacking(connection: Connection[Any]) -> dict[str, str | None]:
    """What there is to make, and for each the role that owns what it belongs to."""
    return {row[0]: row[1] for row in connection.execute(query("ledger/lacking")).fetchall()}


def _not_the_owner(error: psycopg.Error, owner: str | None) -> psycopg.Error | ReadOnly:
    if owner is None:
        return error
    return ReadOnly(
        f"The ledger was made by an earlier aigym-db, and only its owner {owner} can bring it up to date.",
        detail=error.diag.message_primary or "",
        hint=f"Run `aigym-db migrate` once as {owner}; after that other roles may migrate again.",
    )


def _one(connection: Connection[Any], name: str) -> tuple[Any, ...]:
    row = connection.execute(query(name)).fetchone()
    assert row is not None
    return tuple(row)


@cache
def _host() -> str:
    return socket.gethostname()
