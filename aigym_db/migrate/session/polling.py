"""Waiting for a socket, for any number of open descriptors."""

from __future__ import annotations

import select

from psycopg.pq.abc import PGconn


def readable(pgconn: PGconn, wait_s: float = 0.0, *, writable_too: bool = False) -> bool:
    """Wait until the socket is readable or closed, at most `wait_s` seconds; return True if it is.

    With `writable_too`, the wait also ends once the socket is writable. Raise psycopg.OperationalError if
    the connection is already closed.
    """
    # Not select.select: it accepts no descriptor above 1023.
    poller = select.poll()
    poller.register(pgconn.socket, select.POLLIN | (select.POLLOUT if writable_too else 0))
    return any(events & ~select.POLLOUT for _, events in poller.poll(wait_s * 1000))
