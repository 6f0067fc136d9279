"""The migrator's own statements, prepared once per session and executed in every message.

The server parses and plans them once instead of once per migration. They do not count as session state of a
file.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection
from psycopg.pq import Escaping

from aigym_db.database import ledger
from aigym_db.database.failure import explain_error
from aigym_db.database.queries import query
from aigym_db.migrate.session.message import Message
from aigym_db.migrate.session.migration_run import Run
from aigym_db.migrate.session.session_settings import PREPARED, RESET_ALL
from aigym_db.migrate.session.wire import Reply

TICK = f"execute {PREPARED}tick"
"""Records the time between two statements of a migration."""
SINCE = f"execute {PREPARED}since"
"""Records the start time of the next migration of a message."""
GUARD = f"execute {PREPARED}guard"
"""Fails if a migration that only defines objects left session state."""
GUARD_ALL = f"execute {PREPARED}guard_all"
"""The same check after a migration that changes rows and may execute user code. It omits only what is slow to
query: settings that do not affect the next migration."""
RECORD = f"execute {PREPARED}record"
"""Records the event of a migration; `record` returns the full statement."""


def prepare(run: Run) -> None:
    """Prepare the statements, unless they are prepared already.

    The session is reset first: one of the statements compares the settings with those at this time. Raise
    what `Run.check` raises.
    """
    if run.session.prepared:
        return
    # Each query schema-qualifies its functions: it is planned again under the search_path that a file sets.
    settings = query("locks/settings")
    values = _send(run, Message.of(RESET_ALL, settings)).results[1].get_value(0, 0) or b""
    literal = Escaping(run.session.connection.pgconn).escape_literal(values)
    message = Message()
    message.add("deallocate all")
    message.add(f"prepare {PREPARED}tick as {query('migrate/tick')}")
    message.add(f"prepare {PREPARED}since as {query('migrate/since')}")
    same = f"1 / ((\n{settings}) = {bytes(literal).decode()})::integer"
    message.add(f"prepare {PREPARED}guard as {run.guard}")
    message.add(f"prepare {PREPARED}guard_all as {run.guard_all}, {same}")
    message.add(f"prepare {PREPARED}record as {_record()}")
    _send(run, message)
    run.session.mark_prepared()


def _send(run: Run, message: Message) -> Reply:
    reply = run.session.send(message)
    run.check()
    if reply.failure is not None:
        raise explain_error(reply.failure)
    return reply


def record(connection: Connection[Any], event: ledger.Event) -> str:
    """Return the statement that writes the ledger row of a migration sent in the same message.

    The statement computes the durations of the migration's statements; its result is the total, in
    milliseconds.
    """
    values = ledger.literals(connection, event)
    del values["duration_ms"]
    return f"{RECORD} ({', '.join(values.values())})"


def _record() -> str:
    names = list(ledger.Event("apply").parameters())
    names.remove("duration_ms")
    numbers = {name: f"${number}" for number, name in enumerate(names, start=1)}
    return query("ledger/record") % {**numbers, "duration_ms": f"({query('migrate/duration')})"}
