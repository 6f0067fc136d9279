"""The connection that migrates: text goes out whole, results come back one by one, and there is always a way
to stop."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult

from aigym_db.migrate.failure import notice
from aigym_db.migrate.message import Message
from aigym_db.migrate.observer import Notice
from aigym_db.migrate.stop import Stop

FIRST_LOOK_S = 0.05
"""After how long it is asked for the first time what a statement waits for."""
LOOK_S = 0.2
"""How long until it is asked again."""
_GOOD = {ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.EMPTY_QUERY, ExecStatus.SINGLE_TUPLE}


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server said to one message."""

    results: tuple[PGresult, ...]
    """One per statement that was done."""
    failure: psycopg.Error | None
    """Why the statement after them was not."""
    duration_ms: float
    cancelled: bool
    """Whether we asked the server to stop it."""
    lost: bool
    """Whether the connection went away before the server was done."""


class Session:
    """Sends text to a server and reads what comes back, while it watches for signals and for whoever is in
    the way."""

    def __init__(self, connection: Connection[Any], stop: Stop, idle: Callable[[float], None]) -> None:
        self.connection = connection
        self.stop = stop
        self.idle = idle
        """Called again and again while the server is busy, with the seconds since the message was sent."""
        self.hear: Callable[[Notice, int], None] = lambda notice, done: None
        """Told what the server says on the way, and how many statements of the message were done by then."""
        self._message = Message()
        self._heard: list[Notice] = []
        connection.add_notice_handler(lambda said: self._heard.append(notice(self._message, said)))

    @property
    def pid(self) -> int:
        return self.connection.info.backend_pid

    def send(self, message: Message, meanwhile: Callable[[], None] | None = None) -> Reply:
        """Sends one or more statements as one message and reads every result.

        Statements are run in order and none after one that fails. An error of the server is part of the
        reply. `meanwhile` is called once, while the server is at work.
        """
        began = time.monotonic()
        pgconn = self.connection.pgconn
        results: list[PGresult] = []
        failure: psycopg.Error | None = None
        cancelled = False
        look = FIRST_LOOK_S
        try:
            self._message = message
            pgconn.send_query(message.text.encode())
            while True:
                sent = pgconn.flush() == 0
                if sent and meanwhile is not None:
                    meanwhile()
                    meanwhile = None
                ready = sent and not pgconn.is_busy()
                # Here and not later: libpq reads no further than to the end of a statement.
                self._tell(len(results))
                if ready:
                    result = pgconn.get_result()
                    if result is None:
                        break
                    if result.status in _GOOD:
                        results.append(result)
                    elif failure is None:
                        failure = psycopg.errors.error_from_result(result, "utf-8")
                    if result.status in (ExecStatus.COPY_IN, ExecStatus.COPY_BOTH):
                        pgconn.put_copy_end(b"aigym-db has no data to copy")
                    continue
                waited = time.monotonic() - began
                socket = [pgconn.socket]
                readable, _, _ = select.select(socket, [] if sent else socket, [], max(look - waited, 0.0))
                if readable:
                    pgconn.consume_input()
                if self.stop.signal is not None and not cancelled:
                    cancelled = True
                    self.cancel()
                if time.monotonic() - began >= look:
                    self.idle(time.monotonic() - began)
                    look = time.monotonic() - began + LOOK_S
        except psycopg.OperationalError:
            return Reply(tuple(results), failure, _ms(began), cancelled, lost=True)
        self._tell(len(results))
        lost = pgconn.status == ConnStatus.BAD
        return Reply(tuple(results), failure, _ms(began), cancelled, lost)

    def cancel(self) -> None:
        """Asks the server to stop what it is doing; what comes of that is in the reply."""
        with suppress(psycopg.Error):
            self.connection.cancel_safe(timeout=5)

    def _tell(self, done: int) -> None:
        # Not from the handler itself: psycopg swallows what a handler raises.
        heard, self._heard = self._heard, []
        for said in heard:
            self.hear(said, done)

    def alive(self) -> bool:
        return not self.connection.closed and self.connection.pgconn.status == ConnStatus.OK


def _ms(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 3)
