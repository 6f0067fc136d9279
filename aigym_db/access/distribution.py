"""Distribution of statements and of their execution to the connections of a trial."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from threading import Event
from typing import TypeVar

import psycopg

from aigym_db.database.migration_session import Connection
from aigym_db.database.queries import query

Unit = TypeVar("Unit")
Result = TypeVar("Result")


def distribute(
    connections: Sequence[Connection], units: Iterable[Unit], work: Callable[[Connection, Unit], Result]
) -> Iterator[Result]:
    """Execute `work` for each unit on the next free connection; yield the results in the order of the units.

    Nothing is executed before the first result is requested. Each connection executes one unit at a time. An
    exception of `work` propagates. After an interruption, and the end of the iteration, what is executed is
    cancelled, and no other unit is.
    """
    interrupted = Event()
    free: SimpleQueue[Connection] = SimpleQueue()
    for connection in connections:
        free.put(connection)

    def run(unit: Unit) -> Result:
        connection = free.get()
        try:
            if interrupted.is_set():
                raise CancelledError
            return work(connection, unit)
        finally:
            free.put(connection)

    with ThreadPoolExecutor(len(connections)) as pool:
        try:
            yield from pool.map(run, units)
        except (KeyboardInterrupt, GeneratorExit):
            interrupted.set()
            pool.shutdown(wait=False, cancel_futures=True)
            for connection in connections:
                with suppress(psycopg.Error):
                    connection.cancel_safe()
            raise


def copy_rows(source: Connection, target: Connection, *, read: str, fill: str) -> None:
    """Copy a temporary table of one session to another; converting its rows again would take longer.

    `read` and `fill` are the names of the queries with COPY.
    """
    with (
        source.cursor() as reading,
        target.cursor() as writing,
        reading.copy(query(read).encode()) as texts,
        writing.copy(query(fill).encode()) as copy,
    ):
        for text in texts:
            copy.write(text)
