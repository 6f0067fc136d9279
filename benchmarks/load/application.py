"""The application: processes that send short statements, and transactions that stay open for seconds."""

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
"""Between two statements: an application at work, not one that takes all there is of the machine."""
LONG_READ_S, LONG_PAUSE_S = 3.0, 4.0
"""How long a report keeps its transaction open, and how long it is until the next, for each table."""
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
class Felt:
    """What the statements of an application took."""

    milliseconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    """The longest, in milliseconds, and which it was."""

    def add(self, other: Felt) -> None:
        """Takes in what another process felt."""
        self.milliseconds += other.milliseconds
        self.failures += other.failures
        self.slowest = max(self.slowest, other.slowest)

    def timed(self, connection: psycopg.Connection[tuple[object, ...]], sql: str, row: int) -> None:
        """Sends one statement; an error is counted, and rolled back in a transaction."""
        began = time.perf_counter()
        try:
            connection.execute(sql.encode(), {"id": row})
        except psycopg.Error as error:
            self.failures.append(f"{sql.partition(' where')[0]}: {str(error).splitlines()[0]}")
            if not connection.autocommit:
                connection.rollback()
        took_ms = (time.perf_counter() - began) * 1000
        self.milliseconds.append(took_ms)
        self.slowest = max(self.slowest, (took_ms, sql))


@contextmanager
def at_work(dsn: str, rows: int) -> Iterator[Felt]:
    """An application that works during the block; what it felt is complete behind it."""
    context = multiprocessing.get_context("spawn")
    end = context.Event()
    felt = Felt()
    jobs = [(_writer, None)] * WRITERS + [(_reader, None)] * READERS + [(_report, table) for table in TABLES]
    pipes: list[Pipe] = []
    processes = []
    for number, (job, table) in enumerate(jobs):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=job, args=(dsn, rows, number, table, end, theirs), daemon=True)
        process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)
    for pipe in pipes:
        # Each says once that it is connected.
        pipe.recv()
    try:
        yield felt
    finally:
        end.set()
        for pipe in pipes:
            felt.add(pipe.recv())
        for process in processes:
            process.join()


def _writer(dsn: str, rows: int, number: int, table: str | None, end: Event, answer: Pipe) -> None:
    """Statements by themselves, and now and then a transaction of two."""
    chance, felt = random.Random(number), Felt()
    with psycopg.connect(dsn, autocommit=True) as connection:
        answer.send(None)
        while not end.is_set():
            if chance.random() < 0.1:
                _two(connection, felt, chance, rows)
            else:
                felt.timed(connection, chance.choice(WRITES), chance.randint(1, rows))
            time.sleep(PAUSE_S)
    answer.send(felt)


def _two(
    connection: psycopg.Connection[tuple[object, ...]], felt: Felt, chance: random.Random, rows: int
) -> None:
    connection.autocommit = False
    for sql in (chance.choice((WRITES[0], WRITES[3])), WRITES[5]):
        felt.timed(connection, sql, chance.randint(1, rows))
    connection.commit()
    connection.autocommit = True


def _reader(dsn: str, rows: int, number: int, table: str | None, end: Event, answer: Pipe) -> None:
    chance, felt = random.Random(number), Felt()
    with psycopg.connect(dsn, autocommit=True) as connection:
        answer.send(None)
        while not end.is_set():
            felt.timed(connection, chance.choice(READS), chance.randint(1, rows))
            time.sleep(PAUSE_S)
    answer.send(felt)


def _report(dsn: str, rows: int, number: int, table: str | None, end: Event, answer: Pipe) -> None:
    """A transaction that reads a table and then stays open; only what it waits for the table counts."""
    chance, felt = random.Random(number), Felt()
    with psycopg.connect(dsn) as connection:
        connection.execute(f"select from {table} limit 1".encode())
        # The first migrations meet them all.
        answer.send(None)
        while not end.is_set():
            felt.timed(connection, f"select from {table} limit 1", 0)
            end.wait(LONG_READ_S)
            connection.rollback()
            end.wait(LONG_PAUSE_S * chance.uniform(0.5, 1.5))
    answer.send(felt)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share of all does not exceed."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]
