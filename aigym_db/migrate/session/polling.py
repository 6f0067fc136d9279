"""Waiting for a socket, for any number of open descriptors."""

from __future__ import annotations

import select

from psycopg.pq.abc import PGconn


def readable(pgconn: PGconn, wait_s: float = 0.0, *, writable_too: bool = False) -> bool:
    """Waits until something can be read, also that the server is gone, and says whether it can.

    With `writable_too` the wait ends as well once something can be written. Raises psycopg.OperationalError
    where the connection is known to be gone.
    """
    # Not select.select: it takes no descriptor beyond 1023.
    watched = select.poll()
    watched.register(pgconn.socket, select.POLLIN | (select.POLLOUT if writable_too else 0))
    return any(seen & ~select.POLLOUT for _, seen in watched.poll(wait_s * 1000))
