"""How long other sessions are blocked by a waiting migration."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import Literal

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options

LIMIT_MS = 600


@pytest.fixture
def busy(database, other):
    """Tables a to d; b, c and d are read by transactions that end one after another."""
    with ExitStack() as stack:
        readers = []
        for name in "abcd":
            other.execute(f"create table {name} (id int)".encode())
        for name in "bcd":
            reader = stack.enter_context(psycopg.connect(database))
            reader.execute(f"select from {name}".encode())
            readers.append(reader)

        def leave() -> None:
            # Each shortly before a lock_timeout of its own would strike.
            for reader in readers:
                time.sleep(LIMIT_MS * 0.9 / 1000)
                reader.rollback()

        thread = threading.Thread(target=leave)
        thread.start()
        yield
        thread.join()


@pytest.mark.parametrize("transaction", ["migration", "run"])
def test_several_lock_waits_of_one_transaction_do_not_add_up_for_blocked_sessions(
    database, other, write, busy, transaction: Literal["migration", "run"]
) -> None:
    stalls: list[float] = []
    done = threading.Event()

    def read() -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            while not done.is_set():
                began = time.monotonic()
                connection.execute("select from a")
                stalls.append(time.monotonic() - began)

    application = threading.Thread(target=read)
    application.start()
    try:
        migrate(
            database,
            (
                write(1, "".join(f"alter table {name} add column x int;" for name in "abcd")),
                write(2, "select 1;"),
            ),
            options=Options(lock_timeout_ms=LIMIT_MS, transaction=transaction),
        )
    finally:
        done.set()
        application.join()

    assert [row.version for row in ledger.applied(other)] == [1, 2]
    assert max(stalls) <= LIMIT_MS / 1000 + 0.3
