"""The application: processes with short statements, and transactions that stay open for seconds."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from multiprocessing.synchronize import Event

import psycopg

WRITERS, READERS = 3, 3
PAUSE_S = 0.002
"""Pause between two statements, so that the application does not use the whole machine."""
LONG_READ_S, LONG_PAUSE_S = 3.0, 4.0
"""Duration of the open transaction of a report, and the pause until the next, for each table."""
TABLES = ("accounts", "sessions", "messages", "events")
WRITES = (
    "update accounts set balance = balance + 1 where id = %(id)s",
    "insert into sessions (account_id, minutes) values (%(id)s, 30)",
    "update sessions set state = 'closed' where id = %(id)s",
    "insert into messages (account_id, body) values (%(id)s, ' hello ')",
    "update messages set seen = true where id = %(id)s",
    "insert into events (account_id, kind, at) values (%(id)s, 'login', '2026-03-15')",
)
READS = (
    "select name, email, balance from accounts where id = %(id)s",
    "select account_id, minutes, state from sessions where id = %(id)s",
    "select body, seen, sent_at from messages where id = %(id)s",
    "select count(*) from sessions where id between %(id)s and %(id)s + 100",
    "select kind, at from events where id = %(id)s and at >= '2026-02-01' and at < '2026-03-01'",
    "select name, minutes from sessions as s join accounts as a on a.id = account_id where s.id = %(id)s",
)


@dataclass
class Workload:
    """Duration and errors of the statements of an application."""

    milliseconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    """The longest duration in milliseconds, and its statement."""

    def add(self, other: Workload) -> None:
        """Add the statements of another process."""
        self.milliseconds += other.milliseconds
        self.failures += other.failures
        self.slowest = max(self.slowest, other.slowest)

    def timed(self, connection: psycopg.Connection[tuple[object, ...]], sql: str, row: int) -> None:
        """Execute and time one statement; record an error, and roll back if in a transaction."""
        start_s = time.perf_counter()
        try:
            connection.execute(sql.encode(), {"id": row})
        except psycopg.Error as error:
            self.failures.append(f"{sql.partition(' where')[0]}: {str(error).splitlines()[0]}")
            if not connection.autocommit:
                connection.rollback()
        duration_ms = (time.perf_counter() - start_s) * 1000
        self.milliseconds.append(duration_ms)
        self.slowest = max(self.slowest, (duration_ms, sql))


@contextmanager
def running_application(dsn: str, rows: int) -> Iterator[Workload]:
    """Run an application during the block; the result is complete after it."""
    context = multiprocessing.get_context("spawn")
    end = context.Event()
    workload = Workload()
    jobs = [(_writer, None)] * WRITERS + [(_reader, None)] * READERS + [(_report, table) for table in TABLES]
    pipes: list[Pipe] = []
    processes = []
    for number, (job, table) in enumerate(jobs):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=job, args=(dsn, rows, number, table, end, sender), daemon=True)
        process.start()
        sender.close()
        pipes.append(receiver)
        processes.append(process)
    for pipe in pipes:
        # Each process sends one message once it is connected.
        pipe.recv()
    try:
        yield workload
    finally:
        end.set()
        for pipe in pipes:
            workload.add(pipe.recv())
        for process in processes:
            process.join()


def _writer(dsn: str, rows: int, number: int, table: str | None, end: Event, results: Pipe) -> None:
    """Execute single statements, and sometimes a transaction of two."""
    rng, workload = random.Random(number), Workload()
    with psycopg.connect(dsn, autocommit=True) as connection:
        results.send(None)
        while not end.is_set():
            if rng.random() < 0.1:
                _transaction(connection, workload, rng, rows)
            else:
                workload.timed(connection, rng.choice(WRITES), rng.randint(1, rows))
            time.sleep(PAUSE_S)
    results.send(workload)


def _transaction(
    connection: psycopg.Connection[tuple[object, ...]], workload: Workload, rng: random.Random, rows: int
) -> None:
    connection.autocommit = False
    for sql in (rng.choice((WRITES[0], WRITES[3])), WRITES[5]):
        workload.timed(connection, sql, rng.randint(1, rows))
    connection.commit()
    connection.autocommit = True


def _reader(dsn: str, rows: int, number: int, table: str | None, end: Event, results: Pipe) -> None:
    rng, workload = random.Random(number), Workload()
    with psycopg.connect(dsn, autocommit=True) as connection:
        results.send(None)
        while not end.is_set():
            workload.timed(connection, rng.choice(READS), rng.randint(1, rows))
            time.sleep(PAUSE_S)
    results.send(workload)


def _report(dsn: str, rows: int, number: int, table: str | None, end: Event, results: Pipe) -> None:
    """A transaction that reads a table and then stays open; only what it waits for the table counts."""
    rng, workload = random.Random(number), Workload()
    with psycopg.connect(dsn) as connection:
        connection.execute(f"select from {table} limit 1".encode())
        # All transactions are open before the first migration.
        results.send(None)
        while not end.is_set():
            workload.timed(connection, f"select from {table} limit 1", 0)
            end.wait(LONG_READ_S)
            connection.rollback()
            end.wait(LONG_PAUSE_S * rng.uniform(0.5, 1.5))
    results.send(workload)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that a share of all values does not exceed."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]
