"""A server that went away while nothing of ours was under way: waited for, then the run goes on where it was.

Restarts and failovers end every session. A message that was sent may have been carried out or not, so then
the run ends and says what is certain. Between two migrations, or while a runner waits for its turn, nothing
can happen twice: it connects anew, takes both locks and reads the ledger again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from typing import Any, TypeVar

import psycopg
from psycopg import Connection
from psycopg.pq import ConnStatus

from aigym_db.database.failure import explain_error
from aigym_db.errors import CannotConnect, ConnectionLost, Interrupted, LedgerChanged
from aigym_db.migrate.history import digest
from aigym_db.migrate.observer import Observer, Waiting
from aigym_db.migrate.options import Options
from aigym_db.migrate.session.context import RunContext
from aigym_db.migrate.session.polling import readable
from aigym_db.migrate.session.session_settings import connect
from aigym_db.migrate.stop import Stop
from aigym_db.model.migration import Applied, Plan

PATIENCE_S = 30.0
"""How long a run waits for a server that went away: a restart or a failover takes seconds."""
PAUSE_S = 0.25
"""How long between two tries to connect."""
GRACE_S = 0.1
"""How long after the end of one session the other one is looked at: a server that shuts down ends them one
after the other."""

_NOT_YET = re.compile(r"starting up|shutting down|recovery mode|not yet accepting|not accepting connections")

T = TypeVar("T")


class ServerAway(Exception):
    """Both sessions ended while nothing of ours was under way; `lost` is what to say if it stays so."""

    def __init__(self, lost: ConnectionLost) -> None:
        super().__init__(str(lost))
        self.lost = lost


@contextmanager
def connected(
    dsn: str, options: Options, observer: Observer, stop: Stop | None
) -> Iterator[tuple[Connection[Any], RunContext]]:
    """The connection that executes migrations and the context of the run, for the duration of the block.

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
    """The connection that migrates.

    Waits for a server that says it is just coming up. Where nothing answers, the connection string is more
    likely wrong than the server on its way, and that is told at once. Raises what `connect` raises.
    """
    return _connected(context, lambda error: bool(_NOT_YET.search(error.detail)))


def kept_up(attempt: Callable[[Connection[Any]], T], connection: Connection[Any], context: RunContext) -> T:
    """What `attempt` returns, tried again on a new connection as often as it raises ServerAway.

    Raises the ConnectionLost (AIG-S003) of the last one when the server does not come back, and Interrupted
    (AIG-I001).
    """
    with ExitStack() as opened_anew:
        while True:
            try:
                return attempt(connection)
            except ServerAway as away:
                lost = away.lost
            context.observer.waiting(Waiting("server", 0.0))
            try:
                connection = _connected(context, lambda error: True)
            except CannotConnect as error:
                detail = "\n".join(text for text in (error.detail, lost.detail) if text)
                raise lost.amended(detail=detail) from None
            opened_anew.enter_context(closing(connection))


def rest(plan: Plan, before: Iterable[Applied], rows: tuple[Applied, ...]) -> Plan:
    """What is left of a plan, which was made for the ledger as it was `before`, now that it says `rows`.

    Raises LedgerChanged (AIG-T006) when more has changed than what the plan changes itself.
    """
    wanted = {migration.version for migration in plan.migrations}
    was, is_now = {row.version for row in before}, {row.version for row in rows}
    if not was ^ is_now <= wanted:
        raise LedgerChanged(
            "Somebody else migrated this database while the server was away.",
            hint="Plan again, and look at the new plan.",
        )
    left = tuple(
        migration
        for migration in plan.migrations
        if (migration.version in is_now) == (plan.direction == "down")
    )
    return Plan(plan.direction, left, digest(rows), plan.waiting, plan.late)


def gone(connection: Connection[Any]) -> bool:
    """Whether an idle session has ended, as far as it can be told without a round trip."""
    # A server that ends an idle session says so, then closes the socket.
    pgconn = connection.pgconn
    with suppress(psycopg.Error):
        while pgconn.status == ConnStatus.OK and readable(pgconn):
            pgconn.consume_input()
            pgconn.is_busy()
    return connection.closed or pgconn.status != ConnStatus.OK


def all_gone(*connections: Connection[Any]) -> bool:
    """Whether the server went away, and not somebody ended one session on purpose: then the others go on."""
    if not all(gone(connection) for connection in connections):
        time.sleep(GRACE_S)
    return all(gone(connection) for connection in connections)


def _connected(context: RunContext, worth_waiting: Callable[[CannotConnect], bool]) -> Connection[Any]:
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
                hint="Run the command again once the server answers; it goes on where this run ended.",
            )
