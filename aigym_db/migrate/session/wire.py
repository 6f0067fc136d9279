"""The connection that executes migrations: send a message, read its results, cancel it."""

from __future__ import annotations

import select
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
from aigym_db.migrate.stop import Stop

FIRST_LOOK_S = 0.05
"""Time, in seconds, until the blocking sessions of a statement are queried for the first time."""
LOOK_S = 0.2
"""Time, in seconds, until they are queried again."""
_READING = {"client_encoding": "UTF8", "standard_conforming_strings": "on"}
"""The settings under which the server reads a message; the server reports every change of them."""
_GOOD = {ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.EMPTY_QUERY, ExecStatus.SINGLE_TUPLE}


@dataclass(frozen=True, slots=True)
class Reply:
    """The server's reply to one message."""

    results: tuple[PGresult, ...]
    """One for each completed statement."""
    failure: psycopg.Error | None
    """The error of the statement after them."""
    duration_ms: float
    cancelled: bool
    """True if a cancel request was sent after a signal."""
    lost: bool
    """True if the connection was lost before the last result."""
    done: int
    """The number of completed statements, including those whose results were not kept."""


class Wire:
    """A connection that sends messages and reads their replies.

    While the server is busy, it checks for signals and has blocking sessions queried periodically.
    """

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
        """Called periodically while the server is busy, with the seconds since the message was sent."""
        self.notice = notice
        """Receives each notice, with the number of statements of the message completed before it."""
        self.prepared = False
        """True if the migrator's own statements are prepared in the session."""
        self._message = Message()
        self._bytewise = connection.info.parameter_status("server_encoding") == "SQL_ASCII"
        self._notices: list[Notice] = []
        connection.add_notice_handler(
            lambda diagnostic: self._notices.append(failure.notice(self._message, diagnostic))
        )

    @property
    def pid(self) -> int:
        """The process id of the server session."""
        return self.connection.info.backend_pid

    def send(
        self, message: Message, meanwhile: Callable[[], None] | None = None, *, keep: bool = True
    ) -> Reply:
        """Send one or more statements as one message and read every result.

        The server executes the statements in order and none after one that fails. An error of the server is
        part of the reply. `meanwhile` is called once while the server is busy. Without `keep`, results are
        only counted.
        """
        pgconn = self.connection.pgconn
        results: list[PGresult] = []
        done = 0
        error: psycopg.Error | None = None
        watch = _Watch(self)
        try:
            self._restore_reading_settings()
            self._message = message
            message.set_position_unit(bytewise=self._bytewise)
            pgconn.send_query(message.text.encode())
            while True:
                sent = pgconn.flush() == 0
                if sent and meanwhile is not None:
                    meanwhile()
                    meanwhile = None
                ready = sent and not pgconn.is_busy()
                # Before the result is fetched: libpq reads no further than the end of a statement.
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
                        self._send_data(message, watch)
                    elif error is None:
                        error = psycopg.errors.error_from_result(result, "utf-8")
                    continue
                watch.wait(pgconn, sent)
        except psycopg.OperationalError:
            return Reply(tuple(results), error, watch.ms, watch.cancelled, True, done)
        self._deliver_notices(done)
        lost = pgconn.status == ConnStatus.BAD
        return Reply(tuple(results), error, watch.ms, watch.cancelled, lost, done)

    def _restore_reading_settings(self) -> None:
        """Reset the settings in `_READING` if a function has changed them.

        Done before the message, not in it: the server reads all of a message before it executes any of it.
        """
        info = self.connection.info
        if info.transaction_status is TransactionStatus.INERROR:
            return
        for name, value in _READING.items():
            if info.parameter_status(name) != value:
                with suppress(psycopg.Error):
                    self.connection.execute(f"reset {name}")

    def _send_data(self, message: Message, watch: _Watch) -> None:
        """Send the data for a COPY. After an error the server discards the rest."""
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
        """Roll back the transaction, if there is one."""
        if self.alive() and self.connection.info.transaction_status is not TransactionStatus.IDLE:
            self.send(Message.of("rollback"))

    def cancel(self) -> None:
        """Send a cancel request for the current statement; the reply contains the outcome."""
        with suppress(psycopg.Error):
            self.connection.cancel_safe(timeout=5)

    def _deliver_notices(self, done: int) -> None:
        # Not from the handler itself: psycopg swallows what a handler raises.
        notices, self._notices = self._notices, []
        for notice in notices:
            self.notice(notice, done)

    def mark_prepared(self) -> None:
        """Record that the migrator's own statements are prepared in the session."""
        self.prepared = True

    def forget_prepared(self) -> None:
        """Have the migrator's own statements prepared again before their next use.

        A file may have deallocated them.
        """
        self.prepared = False

    def alive(self) -> bool:
        """Return True unless the connection is known to be closed or broken."""
        return not self.connection.closed and self.connection.pgconn.status == ConnStatus.OK


class _Watch:
    """The checks made while the server is busy with a message."""

    def __init__(self, session: Wire) -> None:
        self.session = session
        self.began = time.monotonic()
        self.next_look_s = FIRST_LOOK_S
        self.cancelled = False

    @property
    def ms(self) -> float:
        return round((time.monotonic() - self.began) * 1000, 3)

    def wait(self, pgconn: PGconn, sent: bool) -> None:
        """Wait until the socket is readable, or writable unless all is `sent`, or the next check is due."""
        left_s = max(self.next_look_s - (time.monotonic() - self.began), 0.0)
        if readable(pgconn, left_s, writable_too=not sent):
            pgconn.consume_input()
        self.look()

    def look(self) -> None:
        """Cancel the message after a signal; periodically query the sessions that block it."""
        session = self.session
        if session.stop.signal is not None and not self.cancelled:
            self.cancelled = True
            session.cancel()
        if time.monotonic() - self.began >= self.next_look_s:
            session.idle(time.monotonic() - self.began)
            self.next_look_s = time.monotonic() - self.began + LOOK_S


def readable(pgconn: PGconn, wait_s: float = 0.0, *, writable_too: bool = False) -> bool:
    """Wait until the socket is readable or closed, at most `wait_s` seconds; return True if it is.

    With `writable_too`, the wait also ends once the socket is writable. Raise psycopg.OperationalError if
    the connection is already closed.
    """
    # Not select.select: it accepts no descriptor above 1023.
    poller = select.poll()
    poller.register(pgconn.socket, select.POLLIN | (select.POLLOUT if writable_too else 0))
    return any(events & ~select.POLLOUT for _, events in poller.poll(wait_s * 1000))
