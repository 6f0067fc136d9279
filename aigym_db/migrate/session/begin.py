"""The start and end of a run: privileges, both runner locks, and the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any, Literal

import psycopg
from psycopg import Connection
from psycopg.conninfo import make_conninfo

from aigym_db.database import ledger, locks
from aigym_db.database.connect import connect, resolve
from aigym_db.errors import CannotConnect, ConnectionLost, ReadOnly
from aigym_db.migrate.observer import Waiting
from aigym_db.migrate.session.migration_run import Run
from aigym_db.migrate.session.reconnect import RunContext, ServerAway, all_ended


@contextmanager
def begin(connection: Connection[Any], context: RunContext) -> Iterator[Run]:
    """Acquire both runner locks and create the ledger if missing; release the locks at the end of the block.

    Raise ReadOnly (AIG-S005) or UnknownLedger (AIG-T008) before anything is written, RunnerLocked (AIG-L001),
    Interrupted (AIG-I001), and ServerAway if the server goes away before the block is entered.
    """
    with ExitStack() as opened:
        sessions = [connection]
        try:
            _require_rights(connection)
            ledger.require_complete(connection)
            sessions.append(
                opened.enter_context(closing(connect(_same_server(connection, context.dsn), autocommit=True)))
            )
            run = Run(connection, sessions[1], context)
            _acquire(run, run.second, 1, "runner")
            _acquire(run, connection, 2, "orphan")
            ledger.create(connection)
        except (psycopg.OperationalError, CannotConnect):
            if not all_ended(*sessions):
                raise
            lost = ConnectionLost(
                "The connection to the server was lost before a migration started, and the server did not "
                "come back.",
                hint="Run the command again once the server answers.",
            )
            raise ServerAway(lost) from None
        try:
            yield run
        finally:
            run.flush()


def _same_server(connection: Connection[Any], dsn: str) -> str:
    """Return the connection string of the host that the first connection reached, for the second one."""
    info = connection.info
    return make_conninfo(resolve(dsn), host=info.host, hostaddr=info.hostaddr, port=str(info.port))


def _acquire(
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
    locks.acquire(connection, part, scope, wait_s=wait_s, waiting=waiting, pause=run.stop.pause)


ORPHAN_S = 5.0
"""Minimum wait, in seconds, for the server to end the session of a killed runner."""


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
            hint="Connect as the owner of the ledger or as a member of that role, or run "
            f"`{rights.missing_grant}` as its owner.",
        )
