"""WAL and time per message of a conversation, with the audit and without it.

A person appends messages in transactions of their own, as the API sends them. The limit is the same insert on
a clone whose conversations have no audit trigger.
"""

from __future__ import annotations

import argparse
import json
import time
from contextlib import closing
from uuid import uuid4

import psycopg

from aigym_db.database.connect import connect
from aigym_db.database.servers.databases import clone
from aigym_db.database.servers.server import TEMPLATE, Server
from benchmarks.reference import reference_server

CONVERSATIONS = 100
RATIO = 1.3
"""The greatest ratio of the WAL with the audit to the WAL without it."""
BEGIN = "insert into ai.conversations (title) values ('A') returning id"
WITH, WITHOUT = "with the audit", "without the audit"
Connection = psycopg.Connection[tuple[object, ...]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="messages")
    parser.add_argument("--messages", type=int, default=10_000, help="messages to append (default: 10000)")
    messages = parser.parse_args().messages
    with reference_server() as server:
        sizes = {way: _measure(server, messages, audited=way == WITH) for way in (WITHOUT, WITH)}
    for way, (wal_bytes, microseconds) in sizes.items():
        print(f"{way:18} {wal_bytes:7,.0f} bytes of WAL   {microseconds:7,.0f} µs a message")
    ratio = sizes[WITH][0] / sizes[WITHOUT][0]
    word = "reached" if ratio <= RATIO else "MISSED"
    print(f"{word}: {WITH} ≤ {RATIO:g} × {WITHOUT} (measured: {ratio:.2f} ×)")


def _measure(server: Server, messages: int, *, audited: bool) -> tuple[float, float]:
    """Append messages on a clone; return bytes of WAL and microseconds per message."""
    database = clone(server, TEMPLATE)
    with closing(connect(database.dsn, autocommit=True)) as admin:
        if not audited:
            admin.execute("alter table ai.conversations disable trigger zz_audit")
        person = uuid4()
        admin.execute("insert into auth.users (id, email) values (%s, 'a@example.test')", [person])
        with closing(connect(database.dsn, autocommit=True)) as connection:
            claims = json.dumps({"sub": str(person), "role": "authenticated", "aal": "aal1"})
            connection.execute("select set_config('request.jwt.claims', %s, false)", [claims])
            connection.execute("set row_security = on")
            connection.execute("set role authenticated")
            conversations = [
                row[0]
                for _ in range(CONVERSATIONS)
                for row in connection.execute(
                    "insert into ai.conversations (title) values ('A') returning id"
                )
            ]
            start, start_s = _wal(admin), time.perf_counter()
            for number in range(messages):
                connection.execute(
                    "select ai.append_message(%s, %s)",
                    [conversations[number % CONVERSATIONS], f"Message {number}: " + "lorem ipsum " * 15],
                )
            return (_wal(admin) - start) / messages, (time.perf_counter() - start_s) / messages * 1e6


def _wal(connection: Connection) -> float:
    row = connection.execute("select pg_current_wal_insert_lsn() - '0/0'").fetchone()
    assert row
    return float(str(row[0]))


if __name__ == "__main__":
    main()
