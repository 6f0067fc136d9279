"""What is sent between the statements of migrations, again and again: prepared once, named in every message.

The server then parses and plans it once, not a thousand times. These statements do not count as session
state of a file.
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
"""Notes the moment between two statements of a migration."""
SINCE = f"execute {PREPARED}since"
"""Notes the moment from which the time of the next migration of a message counts."""
GUARD = f"execute {PREPARED}guard"
"""Fails when a migration that only defines things left something behind."""
GUARD_ALL = f"execute {PREPARED}guard_all"
"""The same behind a migration that changes rows, and so runs code. It leaves out only what is slow to ask:
settings of no consequence for the next one."""
RECORD = f"execute {PREPARED}record"
"""Records the event of a migration; `record` returns the full statement."""


def prepare(run: Run) -> None:
    """Prepares them, once in the life of a session, or again where a file may have thrown them away.

    The session is set back first: with its own settings one of them compares what a file leaves.
    Raises what `Run.check` raises.
    """
    if run.session.prepared:
        return
    # Each names functions by their schema: it is planned anew under the search_path that a file has set.
    settings = query("locks/settings")
    found = _send(run, Message.of(RESET_ALL, settings)).results[1].get_value(0, 0) or b""
    literal = Escaping(run.session.connection.pgconn).escape_literal(found)
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
    """The statement that writes the event of a migration that was not sent yet; it works out what that took.

    Its result is the whole time in milliseconds.
    """
    values = ledger.literals(connection, event)
    del values["duration_ms"]
    return f"{RECORD} ({', '.join(values.values())})"


def _record() -> str:
    names = list(ledger.Event("apply").parameters())
    names.remove("duration_ms")
    numbers = {name: f"${number}" for number, name in enumerate(names, start=1)}
    return query("ledger/record") % {**numbers, "duration_ms": f"({query('migrate/duration')})"}
