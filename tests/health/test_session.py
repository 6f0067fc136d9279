"""The session of `health`: read-only, three round trips, and as a role with few privileges."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from aigym_db.database.connect import SessionSettings, connect
from aigym_db.health.check import health_checks
from aigym_db.health.examine import Health, examine

Visitor = psycopg.Connection[tuple[object, ...]]


class CountingProxy:
    """A server in front of PostgreSQL that counts the requests to which it responds with ReadyForQuery."""

    def __init__(self, folder: Path, dsn: str) -> None:
        known = conninfo_to_dict(dsn)
        self._server = f"{known['host']}/.s.PGSQL.{known.get('port', 5432)}"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen()
        self.dsn = make_conninfo(dsn, host=str(folder), port=5432)
        self.connections = 0
        self.requests = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                self.connections += 1
                threading.Thread(target=self._copy, args=(server, client), daemon=True).start()
                threading.Thread(target=self._count, args=(client, server), daemon=True).start()

    def _count(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError, struct.error):
            # The startup message has no type.
            reader = client.makefile("rb")
            head = reader.read(4)
            server.sendall(head + reader.read(struct.unpack("!I", head)[0] - 4))
            while kind := reader.read(1):
                size = reader.read(4)
                body = reader.read(struct.unpack("!I", size)[0] - 4)
                # Query, and Sync at the end of an extended query.
                self.requests += kind in (b"Q", b"S")
                server.sendall(kind + size + body)
        server.close()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        target.close()


@pytest.fixture
def proxy(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CountingProxy]:
    proxy = CountingProxy(tmp_path_factory.mktemp("p"), database)
    yield proxy
    proxy.close()


def test_all_checks_take_one_connection_and_three_round_trips(visitor: Visitor, proxy: CountingProxy) -> None:
    health = examine(proxy.dsn)

    assert len(health.results) == len(health_checks())
    assert (proxy.connections, proxy.requests) == (1, 3)


def test_a_transaction_timeout_and_asynchronous_commit_need_no_second_connection(
    visitor: Visitor, proxy: CountingProxy
) -> None:
    visitor.execute(
        "do $$ begin"
        " execute format('alter database %I set synchronous_commit = off', current_database()); end $$"
    )

    examine(proxy.dsn)

    assert (proxy.connections, proxy.requests) == (1, 3)


def test_a_read_only_session_rejects_writes(database: str) -> None:
    with (
        connect(database, session=SessionSettings(read_only=True), autocommit=True) as connection,
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
    ):
        connection.execute("create table birds ()")


def severities(health: Health) -> dict[str, str]:
    return {result.check.name: result.severity for result in health.results}


def test_a_role_without_privileges_receives_the_grant_it_needs(visitor: Visitor, database: str) -> None:
    visitor.execute("drop role if exists health_monitor; create role health_monitor login")
    dsn = make_conninfo(database, user="health_monitor")

    before = examine(dsn)
    (grant,) = (result.grant for result in before.results if result.grant)
    visitor.execute(grant.encode())
    after = examine(dsn)
    visitor.execute("drop role health_monitor")

    assert severities(before) == {**severities(after), "long-transaction": "unknown"}
    assert grant == 'grant pg_read_all_stats to "health_monitor";'
    assert set(severities(after).values()) == {"ok"}


def test_a_revoked_view_makes_only_its_checks_unknown(visitor: Visitor, database: str) -> None:
    visitor.execute(
        "drop role if exists health_monitor; create role health_monitor login in role pg_read_all_stats;"
        "revoke select on pg_catalog.pg_stat_wal from public"
    )

    health = examine(make_conninfo(database, user="health_monitor"))
    visitor.execute("drop role health_monitor")

    (unknown,) = (result for result in health.results if result.severity == "unknown")
    assert unknown.check.name == "unused-index"
    assert unknown.grant == 'grant select on pg_catalog.pg_stat_wal to "health_monitor";'


def test_a_table_that_is_locked_is_not_waited_for(visitor: Visitor, database: str) -> None:
    visitor.execute("begin; lock table app.days, app.days_1, app.birds in access exclusive mode")

    health = examine(database)

    assert set(severities(health).values()) == {"ok"}
