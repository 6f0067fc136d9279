"""How a run begins and ends: what it needs the right to, both locks, and the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any, Literal

import psycopg
from psycopg import Connection
from psycopg.conninfo import make_conninfo

from aigym_db.database import ledger, locks
from aigym_db.database.connect import connect, resolve
from aigym_db.database.queries import query
from aigym_db.errors import CannotConnect, ConnectionLost, ReadOnly
from aigym_db.migrate.observer import Waiting
from aigym_db.migrate.session.attempt import Run
from aigym_db.migrate.session.context import RunContext
from aigym_db.migrate.session.ledger_failure import kept_away
from aigym_db.migrate.session.reconnect import ServerAway, all_gone
from aigym_db.model.migration import Plan


@contextmanager
def begin(connection: Connection[Any], context: RunContext) -> Iterator[Run]:
    """A run that has both locks and a ledger to write to, and that gives them back.

    Raises ReadOnly (AIG-S005) before anything happens, RunnerLocked (AIG-L001), Interrupted (AIG-I001), and
    ServerAway when the server goes away before all this is there.
    """
    with ExitStack() as opened:
        sessions = [connection]
        try:
            _require_rights(connection)
            sessions.append(
                opened.enter_context(closing(connect(_same_server(connection, context.dsn), autocommit=True)))
            )
            run = Run(connection, sessions[1], context)
            _hold(run, run.second, 1, "runner")
            _hold(run, connection, 2, "orphan")
            ledger.create(connection)
        except (psycopg.OperationalError, CannotConnect):
            if not all_gone(*sessions):
                raise
            lost = ConnectionLost(
                "The connection to the server was lost before anything was done, and it did not come back.",
                hint="Run the command again once the server answers.",
            )
            raise ServerAway(lost) from None
        try:
            yield run
        finally:
            if run.loose:
                with suppress(psycopg.Error):
                    run.second.execute(query("ledger/flush"))


def start(run: Run, plan: Plan) -> None:
    """Writes down what is going to run; nothing where that is nothing.

    Raises LockTimeout (AIG-S004) when somebody has locked the ledger.
    """
    versions = [migration.version for migration in plan.migrations]
    if not versions:
        return
    started = ledger.Event(
        "start",
        direction=plan.direction,
        detail={"versions": versions},
        git_commit=run.options.git_commit,
        scope=run.options.scope,
    )
    try:
        run.record(started)
    except psycopg.errors.LockNotAvailable:
        raise locks.held_by_others(run.second, ledger.EVENTS) from None
    except psycopg.errors.InvalidTextRepresentation:
        raise kept_away("The start of the run", "nothing was begun") from None


def _same_server(connection: Connection[Any], dsn: str) -> str:
    """Where the first connection ended up: of several hosts the second one has to be on the same."""
    info = connection.info
    return make_conninfo(resolve(dsn), host=info.host, hostaddr=info.hostaddr, port=str(info.port))


def _hold(
    run: Run, connection: Connection[Any], part: locks.LockPart, reason: Literal["runner", "orphan"]
) -> None:
    def waiting(holders: tuple[locks.Holder, ...], waited_s: float) -> None:
        if run.stop.signal:
            raise run.interrupted(None)
        run.observer.waiting(Waiting(reason, waited_s, holders=holders))

    wait_s = run.options.lock_wait_s
    if wait_s is not None and part == 2:
        # A session that has lost its client is ended by the server within seconds.
        wait_s = max(wait_s, ORPHAN_S)
    scope = run.options.scope
    locks.hold(connection, part, scope, wait_s=wait_s, waiting=waiting, pause=run.stop.pause)


ORPHAN_S = 5.0
"""How long to wait at least for the server to end the session of a runner that was killed."""


def _require_rights(connection: Connection[Any]) -> None:
    rights = ledger.rights(connection)
    if rights.standby:
        raise ReadOnly(
            "The server is a standby, and migrations run on the primary only.",
            hint="Connect to the primary, as with `target_session_attrs=read-write`.",
        )
    if rights.read_only:
        raise ReadOnly(
            f"Transactions of {rights.who} are read-only here (default_transaction_read_only).",
            hint="Connect with a role that may write.",
        )
    if rights.missing_grant:
        raise ReadOnly(
            f"The role {rights.who} may not read and write the ledger, schema aigym_db.",
            hint="Connect as the role that made the ledger or as a member of it, or have it run "
            f"`{rights.missing_grant}`.",
        )
