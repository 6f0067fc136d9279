"""The runner lock, and the sessions that block a statement.

The runner lock consists of two session-level advisory locks: part 1 on a connection that stays idle, part 2
on the connection that executes the migrations. The server releases part 2 when that session ends, so no
statement of a killed run is active once another run holds both. Both are polled: a session that waits in
`pg_advisory_lock` holds a snapshot, and a CREATE INDEX CONCURRENTLY of the holder would wait for it for ever.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from psycopg import Connection

from aigym_db.database.queries import query
from aigym_db.errors import LockTimeout, RunnerLocked

LockPart = Literal[1, 2]
PATIENCE_MS = 60_000
"""Maximum time to retry a migration or a step of `partitions` after lock timeouts, in milliseconds."""
POLL_S = (0.05, 0.25)
"""Shortest and longest pause between two attempts to acquire a lock, in seconds."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A session that holds the runner lock."""

    pid: int
    application: str
    client: str
    age_s: float | None
    """The age of the connection in seconds; None if the role may not see it."""

    def __str__(self) -> str:
        application = self.application or "no application name"
        since = "" if self.age_s is None else f", connected {_age(self.age_s)} ago"
        return f"pid {self.pid} ({application}) from {self.client}{since}"


@dataclass(frozen=True, slots=True)
class Blocker:
    """A session that blocks another one."""

    pid: int
    role: str | None
    application: str
    client: str
    state: str | None
    age_s: float | None
    """The age of its transaction in seconds; None outside a transaction."""
    query: str
    relation: str | None = None
    """The relation whose lock is awaited."""

    def __str__(self) -> str:
        since = "" if self.age_s is None else f", transaction open for {_age(self.age_s)}"
        return (
            f"pid {self.pid} ({self.role or '?'}, {self.application or 'no application name'}, from "
            f"{self.client}, "
            f"{self.state or 'state unknown'}{since}): {' '.join(self.query.split())}"
        )


def try_acquire(connection: Connection[Any], part: LockPart, scope: str = "") -> bool:
    """Acquire the lock for this session if it is free; each tenant schema (`scope`) has its own locks."""
    row = connection.execute(query("locks/try_acquire"), {"part": part, "scope": scope}).fetchone()
    return row is not None and bool(row[0])


def acquire(
    connection: Connection[Any],
    part: LockPart,
    scope: str = "",
    *,
    wait_s: float | None,
    waiting: Callable[[tuple[Holder, ...], float], None],
    pause: Callable[[float], None] = time.sleep,
) -> float:
    """Acquire the lock for this session and return the waiting time in seconds.

    If `wait_s` is None, there is no time limit. `waiting` receives the holders after each failed attempt.
    Raise RunnerLocked (AIG-L001) if the lock is not available within `wait_s` seconds.
    """
    began = time.monotonic()
    while not try_acquire(connection, part, scope):
        waited = time.monotonic() - began
        held_by = holders(connection, part, scope)
        if wait_s is not None and waited >= wait_s:
            raise RunnerLocked(
                f"Another aigym-db is migrating {f'the schema {scope}' if scope else 'this database'}"
                + (f"; it did not finish within {wait_s:g} s." if wait_s else "."),
                detail="\n".join(f"held by {holder}" for holder in held_by),
                hint="Wait for it to finish and run this again, or give more time with --lock-wait.",
            )
        waiting(held_by, waited)
        longest = POLL_S[1] if wait_s is None else min(POLL_S[1], max(wait_s - waited, 0.001))
        pause(min(random.uniform(*POLL_S), longest))
    return time.monotonic() - began


def holders(connection: Connection[Any], part: LockPart, scope: str = "") -> tuple[Holder, ...]:
    """Return the session that holds the lock; none if it is free."""
    parameters = {"part": part, "scope": scope}
    return tuple(Holder(*row) for row in connection.execute(query("locks/holder"), parameters).fetchall())


def blockers(connection: Connection[Any], pid: int) -> tuple[Blocker, ...]:
    """Return the sessions that block the session `pid`."""
    return tuple(
        Blocker(*row) for row in connection.execute(query("locks/blockers"), {"pid": pid}).fetchall()
    )


def held_by_others(connection: Connection[Any], table: str) -> LockTimeout:
    """Return the error for a lock timeout on one of the ledger's tables, with the blocking sessions."""
    seen = connection.execute(query("locks/holding"), {"table": table}).fetchall()
    return LockTimeout(
        f"The table {table} is locked by another session.",
        detail="\n".join(f"blocked by {Blocker(*row)}" for row in seen)
        or "The blocking session has already ended.",
        hint="Wait for that transaction or end it, then run this again.",
    )


def stalled_ms(connection: Connection[Any], pid: int) -> float:
    """Return the longest time, in milliseconds, that another session has waited for the session `pid`."""
    row = connection.execute(query("locks/stalled"), {"pid": pid}).fetchone()
    return float(row[0]) if row else 0.0


def old_transactions(connection: Connection[Any]) -> tuple[Blocker, ...]:
    """Return the transactions open for more than a second; a statement with CONCURRENTLY waits for them."""
    return tuple(Blocker(*row) for row in connection.execute(query("locks/old_transactions")).fetchall())


def _age(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
