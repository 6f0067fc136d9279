"""Lost and half-closed connections: reported migrations are applied, and the next run converges."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest

from aigym_db.database import ledger
from aigym_db.database.connect import connect
from aigym_db.database.dsn import parameters
from aigym_db.database.servers.databases import create_database, drop_database
from aigym_db.database.servers.installed import InstalledThrowaway
from aigym_db.errors import CannotConnect, ConnectionLost, PartiallyApplied
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.observer import Finished, Observer
from aigym_db.migrate.session import reconnect
from aigym_db.model.source import Source
from aigym_db.project.migrations import parse
from tests.support.sampling import sampled

How = Literal["cut", "cut with the answer on its way", "half-closed", "one session cut"]


class Network:
    """A proxy to a server that disturbs its connections at a given client message."""

    def __init__(self, server: InstalledThrowaway, position: int | None = None, how: How = "cut") -> None:
        self.server, self.position, self.how = server, position, how
        self.sent = 0
        """The number of messages that clients have sent so far."""
        self.happened = threading.Event()
        self._lock = threading.Lock()
        self._open: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    def dsn(self, database: str) -> str:
        port = self._listener.getsockname()[1]
        name = parameters(database)["dbname"]
        return f"postgresql://postgres@127.0.0.1:{port}/{name}?sslmode=disable&gssencmode=disable"

    def close(self) -> None:
        self._listener.close()
        self._end(self._open)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                upstream = socket.socket(socket.AF_UNIX)
                upstream.connect(str(self.server.socket_folder / f".s.PGSQL.{self.server.port}"))
                pair = (client, upstream)
                self._open.append(pair)
                for work in (self._upward, self._downward):
                    threading.Thread(target=work, args=(pair,), daemon=True).start()

    def _upward(self, pair: tuple[socket.socket, socket.socket]) -> None:
        """Forward the client's messages one by one."""
        client, upstream = pair
        with contextlib.suppress(OSError, EOFError):
            kind = b""
            while True:
                size = _read(client, 4)
                message = kind + size + _read(client, int.from_bytes(size) - 4)
                with self._lock:
                    mine = self.sent == self.position and not self.happened.is_set()
                    self.sent += 1
                    if mine and self.how != "cut with the answer on its way":
                        self._do(pair)
                    upstream.sendall(message)
                    if mine and self.how == "cut with the answer on its way":
                        self._do(pair)
                kind = _read(client, 1)
        self._end([pair])

    def _downward(self, pair: tuple[socket.socket, socket.socket]) -> None:
        client, upstream = pair
        with contextlib.suppress(OSError):
            while data := upstream.recv(65536):
                client.sendall(data)
        self._end([pair])

    def _do(self, pair: tuple[socket.socket, socket.socket]) -> None:
        self.happened.set()
        if self.how == "half-closed":
            pair[0].shutdown(socket.SHUT_WR)
        elif self.how == "one session cut":
            self._end([pair])
        else:
            self._end(self._open)

    def _end(self, pairs: list[tuple[socket.socket, socket.socket]]) -> None:
        for pair in list(pairs):
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()


def _read(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        if not (piece := source.recv(size - len(data))):
            raise EOFError
        data += piece
    return data


class Reported(Observer):
    """The versions that a run reported as applied."""

    def __init__(self) -> None:
        self.versions: list[int] = []

    def finished(self, finished: Finished) -> None:
        self.versions.append(finished.migration.version)


UPS = {
    1: ("", "create table a (n int);\ninsert into a values (1);"),
    2: ("", "create table b ();"),
    3: ("", "create table c ();"),
    4: (" transaction:false", "insert into a values (4);\ncreate index concurrently a_n_idx on a (n);"),
    5: ("", "update a set n = n + 10;"),
}
LINE = tuple(
    parse(
        Source(
            f"migrations/{version:04d}_x.sql", f"-- migrate:up{options}\n{up}\n-- migrate:down\nselect 1;\n"
        ),
        version,
        "x",
    )
    for version, (options, up) in UPS.items()
)


def disturbed(server: InstalledThrowaway, position: int, how: How) -> str:
    """Run the migrations over a failing network, then directly; return the violations as text."""
    created = create_database(server)
    database = created.dsn
    network = Network(server, position, how)
    reported, wrong = Reported(), ""
    try:
        try:
            done = [
                step.migration.version for step in migrate(network.dsn(database), LINE, observer=reported)
            ]
            wrong += "" if done == [1, 2, 3, 4, 5] else f"returned {done}; "
        except (ConnectionLost, CannotConnect, PartiallyApplied) as error:
            wrong += "" if error.hint else "no hint; "
        network.close()
        with contextlib.closing(connect(database, autocommit=True)) as connection:
            rows = [row.version for row in ledger.applied(connection)]
            wrong += (
                "" if set(reported.versions) <= set(rows) else f"reported {reported.versions} of {rows}; "
            )
            migrate(database, LINE)
            held = connection.execute(
                "select array_agg(n order by n), (select bool_and(indisvalid) from pg_index where indrelid = "
                "'public.a'::regclass), to_regclass('public.c') is not null from public.a"
            ).fetchone()
        wrong += "" if held == ([11, 14], True, True) else f"held {held}; "
        wrong += "" if network.happened.is_set() else "nothing happened; "
    finally:
        network.close()
        drop_database(server, created.name)
    return wrong and f"{how} at message {position}: {wrong}"


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnect, "PAUSE_S", 0.01)


@pytest.fixture(scope="module")
def messages(server: InstalledThrowaway) -> int:
    """The number of messages that an undisturbed run sends."""
    created = create_database(server)
    database = created.dsn
    network = Network(server)
    migrate(network.dsn(database), LINE)
    # The last messages only end the sessions.
    sent = network.sent - 2
    network.close()
    drop_database(server, created.name)
    return sent


@pytest.mark.parametrize("every", sampled([7, 1], 2), ids=["a sample of messages", "each message"])
@pytest.mark.parametrize("how", ["cut", "cut with the answer on its way", "half-closed", "one session cut"])
def test_a_network_failure_at_any_message_is_followed_by_a_converging_run(
    server, messages: int, how: How, every: int
) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda position: disturbed(server, position, how), range(0, messages, every)))

    assert [wrong for wrong in results if wrong] == []
    assert messages > 40


def test_an_unresponsive_network_times_out_after_a_minute(server, database: str) -> None:
    network = Network(server)
    with contextlib.closing(connect(network.dsn(database))) as connection:
        held = socket.socket(fileno=os.dup(connection.fileno()))
        with contextlib.closing(held):
            options = (socket.TCP_USER_TIMEOUT, socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            values = [held.getsockopt(socket.IPPROTO_TCP, option) for option in options]
    network.close()

    assert values == [60_000, 30, 10, 3]
