"""The connection that migrates: text goes out whole, results come back one by one, and there is always a way
to stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from aigym_db.migrate.observer import Notice
from aigym_db.migrate.session import failure
from aigym_db.migrate.session.message import Message
from aigym_db.migrate.session.polling import readable
from aigym_db.migrate.stop import Stop

FIRST_LOOK_S = 0.05
"""After how long it is asked for the first time what a statement waits for."""
LOOK_S = 0.2
"""How long until it is asked again."""
_READING = {"client_encoding": "UTF8", "standard_conforming_strings": "on"}
"""How the server reads what it is sent; it says so whenever that changes."""
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
    done: int
    """How many statements were done, also where their results were not kept."""


class Wire:
    """Sends text to a server and reads what comes back, while it watches for signals and for whoever is in
    the way."""

    def __init__(
        self,
        connection: Connection[Any],
        stop: Stop,
        idle: Callable[[float], None],
        notice: Callable[[Notice, int], None],
    ) -> None:
        self.connection = connection
        self.stop = stop
        self.idle = idle
        """Called again and again while the server is busy, with the seconds since the message was sent."""
        self.notice = notice
        """Receives each notice, with the number of statements of the message completed before it."""
        self.prepared = False
        """Whether our own statements are prepared in it."""
        self._message = Message()
        self._bytewise = connection.info.parameter_status("server_encoding") == "SQL_ASCII"
        self._notices: list[Notice] = []
        connection.add_notice_handler(
            lambda diagnostic: self._notices.append(failure.notice(self._message, diagnostic))
        )

    @property
    def pid(self) -> int:
        return self.connection.info.backend_pid

    def send(
        self, message: Message, meanwhile: Callable[[], None] | None = None, *, keep: bool = True
    ) -> Reply:
        """Sends one or more statements as one message and reads every result.

        Statements are run in order and none after one that fails. An error of the server is part of the
        reply. `meanwhile` is called once, while the server is at work. Where not to `keep`, results are only
        counted.
        """
        pgconn = self.connection.pgconn
        results: list[PGresult] = []
        done = 0
        error: psycopg.Error | None = None
        watch = _Watch(self)
        try:
            self._be_read_as_meant()
            self._message = message
            message.bytewise = self._bytewise
            pgconn.send_query(message.text.encode())
            while True:
                sent = pgconn.flush() == 0
                if sent and meanwhile is not None:
                    meanwhile()
                    meanwhile = None
                ready = sent and not pgconn.is_busy()
                # Here and not later: libpq reads no further than to the end of a statement.
                self._deliver_notices(done)
                if ready:
                    result = pgconn.get_result()
                    if result is None:
                        break
                    if result.status in _GOOD:
                        done += 1
                        if keep:
                            results.append(result)
                    elif result.status == ExecStatus.COPY_IN:
                        self._pour(message, watch)
                    elif error is None:
                        error = psycopg.errors.error_from_result(result, "utf-8")
                    continue
                watch.wait(pgconn, sent)
        except psycopg.OperationalError:
            return Reply(tuple(results), error, watch.ms, watch.cancelled, True, done)
        self._deliver_notices(done)
        lost = pgconn.status == ConnStatus.BAD
        return Reply(tuple(results), error, watch.ms, watch.cancelled, lost, done)

    def _be_read_as_meant(self) -> None:
        """Puts back, where a function has changed them, the settings by which the server reads a text.

        Before a message and not in it: it is read whole before anything of it runs.
        """
        info = self.connection.info
        if info.transaction_status is TransactionStatus.INERROR:
            return
        for name, value in _READING.items():
            if info.parameter_status(name) != value:
                with suppress(psycopg.Error):
                    self.connection.execute(f"reset {name}")

    def _pour(self, message: Message, watch: _Watch) -> None:
        """Sends the data for a COPY. A server that has failed meanwhile takes and forgets the rest."""
        pgconn, pieces = self.connection.pgconn, message.data()
        if pieces is None:
            pgconn.put_copy_end(b"aigym-db has no data to copy")
            return
        for data in pieces:
            pgconn.put_copy_data(data)
            while pgconn.flush() != 0:
                watch.wait(pgconn, False)
            if self.stop.signal is not None:
                watch.look()
                pgconn.put_copy_end(b"stopped")
                return
        pgconn.put_copy_end()

    def roll_back(self) -> None:
        """Ends the transaction, if there is one."""
        if self.alive() and self.connection.info.transaction_status is not TransactionStatus.IDLE:
            self.send(Message.of("rollback"))

    def cancel(self) -> None:
        """Asks the server to stop what it is doing; what comes of that is in the reply."""
        with suppress(psycopg.Error):
            self.connection.cancel_safe(timeout=5)

    def _deliver_notices(self, done: int) -> None:
        # Not from the handler itself: psycopg swallows what a handler raises.
        notices, self._notices = self._notices, []
        for notice in notices:
            self.notice(notice, done)

    def mark_prepared(self) -> None:
        """Note that our own statements are prepared in the session."""
        self.prepared = True

    def forget_prepared(self) -> None:
        """Prepare our own statements again before they are used next: a file may have deallocated them."""
        self.prepared = False

    def alive(self) -> bool:
        return not self.connection.closed and self.connection.pgconn.status == ConnStatus.OK


class _Watch:
    """What is looked at while the server is at work."""

    def __init__(self, session: Wire) -> None:
        self.session = session
        self.began = time.monotonic()
        self.next_look_s = FIRST_LOOK_S
        self.cancelled = False

    @property
    def ms(self) -> float:
        return round((time.monotonic() - self.began) * 1000, 3)

    def wait(self, pgconn: PGconn, sent: bool) -> None:
        """Waits until something can be read, or written unless all is `sent`, or it is time to look."""
        left_s = max(self.next_look_s - (time.monotonic() - self.began), 0.0)
        if readable(pgconn, left_s, writable_too=not sent):
            pgconn.consume_input()
        self.look()

    def look(self) -> None:
        """Stops the server once somebody said so, and asks from time to time what it waits for."""
        session = self.session
        if session.stop.signal is not None and not self.cancelled:
            self.cancelled = True
            session.cancel()
        if time.monotonic() - self.began >= self.next_look_s:
            session.idle(time.monotonic() - self.began)
            self.next_look_s = time.monotonic() - self.began + LOOK_S
