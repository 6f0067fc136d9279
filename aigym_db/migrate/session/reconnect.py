"""Reconnection to a server that went away while no statement was in progress.

Restarts and failovers end every session. If a message was in progress, its outcome is unknown and the run
ends with an error. Between two migrations, or while waiting for the runner lock, nothing can be executed
twice: the run reconnects, acquires both locks and reads the ledger again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from psycopg import Connection
from psycopg.pq import ConnStatus

from aigym_db.database.failure import explain_error
from aigym_db.errors import CannotConnect, ConnectionLost, Interrupted, LedgerChanged
from aigym_db.migrate.history import digest
from aigym_db.migrate.observer import Observer, Waiting
from aigym_db.migrate.options import Options
from aigym_db.migrate.session.session_settings import connect
from aigym_db.migrate.stop import Stop
from aigym_db.model.migration import Applied, Plan

PATIENCE_S = 30.0
"""Maximum time to wait for a server that went away, in seconds: a restart or a failover takes seconds."""
PAUSE_S = 0.25
"""Pause between two connection attempts, in seconds."""
GRACE_S = 0.1
"""Delay, in seconds, before the second session is checked after the first has ended: a server that shuts down
ends them one after the other."""

_NOT_YET = r"starting up|shutting down|recovery mode|not yet accepting|not accepting connections"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RunContext:
    """The database, the options, the observer and the stop request of a run."""

    dsn: str
    options: Options
    observer: Observer
    stop: Stop


class ServerAway(Exception):
    """Both sessions ended while no statement was in progress; `lost` is the error if it stays away."""

    def __init__(self, lost: ConnectionLost) -> None:
        super().__init__(str(lost))
        self.lost = lost


@contextmanager
def connected(
    dsn: str, options: Options, observer: Observer, stop: Stop | None
) -> Iterator[tuple[Connection[Any], RunContext]]:
    """Open the connection that executes migrations, for the duration of the block.

    Without `stop`, signals are handled. Raise what `opened` raises, and for an error of psycopg the error of
    the package that explains it.
    """
    try:
        with Stop() if stop is None else nullcontext(stop) as stopping:
            context = RunContext(dsn, options, observer, stopping)
            with closing(opened(context)) as connection:
                yield connection, context
    except psycopg.Error as error:
        raise explain_error(error) from None


def opened(context: RunContext) -> Connection[Any]:
    """Return a new connection that executes migrations.

    Wait if the server reports that it is starting up. If there is no reply at all, a wrong connection string
    is more likely: raise at once what `connect` raises.
    """
    return _connected(context, lambda error: bool(re.search(_NOT_YET, error.detail)))


def with_reconnect(
    operation: Callable[[Connection[Any]], T], connection: Connection[Any], context: RunContext
) -> T:
    """Return the result of `operation`, repeated on a new connection each time it raises ServerAway.

    Raise the last ConnectionLost (AIG-S003) if the server does not come back, and Interrupted (AIG-I001)
    after a signal.
    """
    with ExitStack() as opened_anew:
        while True:
            try:
                return operation(connection)
            except ServerAway as away:
                lost = away.lost
            context.observer.waiting(Waiting("server", 0.0))
            try:
                connection = _connected(context, lambda error: True)
            except CannotConnect as error:
                raise lost.amended(detail=error.detail, added_detail=lost.detail) from None
            opened_anew.enter_context(closing(connection))


def rest(plan: Plan, before: Iterable[Applied], rows: tuple[Applied, ...]) -> Plan:
    """Return the remaining part of a plan that was computed when `before` was applied; now `rows` are.

    Raise LedgerChanged (AIG-T006) if the two differ in a migration that is not part of the plan.
    """
    planned = {migration.version for migration in plan.migrations}
    applied_before, applied_now = {row.version for row in before}, {row.version for row in rows}
    if not applied_before ^ applied_now <= planned:
        raise LedgerChanged(
            "Another run migrated this database while the server was away.",
            hint="Plan again, and review the new plan.",
        )
    remaining = tuple(
        migration
        for migration in plan.migrations
        if (migration.version in applied_now) == (plan.direction == "down")
    )
    return Plan(plan.direction, remaining, digest(rows), plan.waiting, plan.late)


def has_ended(connection: Connection[Any]) -> bool:
    """Return True if an idle session has ended, as far as the socket shows without a round trip."""
    from aigym_db.migrate.session.wire import readable

    # A server that ends an idle session sends an error message, then closes the socket.
    pgconn = connection.pgconn
    with suppress(psycopg.Error):
        while pgconn.status == ConnStatus.OK and readable(pgconn):
            pgconn.consume_input()
            pgconn.is_busy()
    return connection.closed or pgconn.status != ConnStatus.OK


def all_ended(*connections: Connection[Any]) -> bool:
    """Return True if all sessions have ended, as after a restart; False if a single one was terminated."""
    if not all(has_ended(connection) for connection in connections):
        time.sleep(GRACE_S)
    return all(has_ended(connection) for connection in connections)


def _connected(context: RunContext, worth_waiting: Callable[[CannotConnect], bool]) -> Connection[Any]:
    """Connect; retry for up to PATIENCE_S after errors for which `worth_waiting` returns True."""
    began, stop = time.monotonic(), context.stop
    while True:
        try:
            return connect(context.dsn, context.options)
        except CannotConnect as error:
            waited_s = time.monotonic() - began
            if waited_s >= PATIENCE_S or not worth_waiting(error):
                raise
        context.observer.waiting(Waiting("server", waited_s))
        stop.pause(PAUSE_S)
        if stop.signal:
            raise Interrupted(
                f"Stopped by {stop.signal} while waiting for the server.",
                hint="Run the command again once the server is available; it resumes where this run ended.",
            )
