"""A backfill and a standby that streams but does not replay."""

from __future__ import annotations

import select
import struct
import threading
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import pq
from psycopg.conninfo import make_conninfo

from aigym_db.database.servers.databases import create_database
from aigym_db.database.servers.server import Throwaway
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.backfill import replication_lag


class Standby(threading.Thread):
    """Receive the server's WAL, and report nothing as replayed until `released` is set."""

    def __init__(self, dsn: str) -> None:
        super().__init__(daemon=True)
        self.released = threading.Event()
        self.ended = threading.Event()
        with psycopg.connect(dsn) as connection:
            row = connection.execute("select pg_current_wal_lsn() - '0/0', pg_current_wal_lsn()").fetchone()
        self.begin, self.received = int(row[0]), int(row[0])
        self.server = pq.PGconn.connect(make_conninfo(dsn, replication="true").encode())
        result = self.server.exec_(f"START_REPLICATION PHYSICAL {row[1]}".encode())
        assert result.status == pq.ExecStatus.COPY_BOTH, result.error_message

    def run(self) -> None:
        while not self.ended.is_set():
            select.select([self.server.socket], [], [], 0.02)
            self.server.consume_input()
            size, piece = self.server.get_copy_data(1)
            while size > 0:
                kind = bytes(piece[:1])
                start = struct.unpack("!q", piece[1:9])[0]
                self.received = max(self.received, start + len(piece) - 25 if kind == b"w" else start)
                size, piece = self.server.get_copy_data(1)
            replayed = self.received if self.released.is_set() else self.begin
            self.server.put_copy_data(
                b"r" + struct.pack("!qqqqb", self.received, self.received, replayed, 0, 0)
            )
            self.server.flush()
        self.server.finish()


@pytest.fixture(scope="module", params=["embedded:18", "embedded:16"])
def primary(request) -> Iterator[Throwaway]:
    with throwaway(request.param, settings={"wal_level": "replica", "max_wal_senders": "4"}) as running:
        yield running


@pytest.fixture
def database(primary) -> str:
    return create_database(primary).dsn


@pytest.fixture
def standby(primary, database, monkeypatch) -> Iterator[Standby]:
    monkeypatch.setattr(replication_lag, "CHECK_INTERVAL_S", 0.005)
    monkeypatch.setattr(replication_lag, "LAG_BYTES", 100_000)
    streaming = Standby(database)
    streaming.start()
    yield streaming
    streaming.ended.set()
    streaming.join()


def test_a_backfill_waits_for_a_lagging_standby(database, standby, other, table, backfill, listener) -> None:
    line = (table, backfill(options=" batch:200"))
    migrate(database, line, to=1)
    listener.on_wait = lambda waiting: standby.released.set()

    migrate(database, line, observer=listener)

    assert {wait.reason for wait in listener.waits} == {"standby"}
    assert other.execute("select distinct n from o").fetchall() == [(1,)]


def test_missing_permission_for_the_replication_lag_is_reported_once(
    database, standby, other, table, write, backfill, once, listener
) -> None:
    other.execute("drop role if exists no_monitor")
    other.execute("create role no_monitor login")
    other.execute(f"alter database {other.info.dbname} owner to no_monitor")
    create = write(1, "create schema app;" + table.up.text.replace(" o ", " app.o "))
    line = (create, backfill(2, once.replace(" o ", " app.o "), options=" batch:200"))

    migrate(make_conninfo(database, user="no_monitor"), line, observer=listener)

    denied = [notice for notice in listener.notices if "replication lag as no_monitor" in notice.message]
    assert len(denied) == 1
    assert "pg_read_all_stats" in denied[0].hint
    assert listener.waits == []
    assert other.execute("select distinct n from app.o").fetchall() == [(1,)]
    other.execute(f"alter database {other.info.dbname} owner to postgres")
    other.execute("drop owned by no_monitor cascade; drop role no_monitor")
