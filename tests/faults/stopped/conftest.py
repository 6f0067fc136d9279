"""The chain, stopped at any one of its points."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import Connection
from psycopg.conninfo import make_conninfo

from aigym_db.database import ledger, locks
from aigym_db.model.migration import Direction
from tests.support.waiting import POLLS

POLL_S = 0.005


@dataclass
class Stage:
    """A database, a process that runs the chain on it, and the session that blocks it at one point."""

    dsn: str
    process: Any
    """As `spawn` gives it."""
    gate: Connection[Any]
    pid: int = 0
    """The blocked session of the process."""

    def wait_for(
        self, question: str, *, running: bool = True, polls: int = 2 * POLLS, **parameters: Any
    ) -> tuple[Any, ...]:
        """Return the first row of a query, once it has one; fail if a `running` process ends."""
        for _ in range(polls):
            if (row := self.gate.execute(question, parameters).fetchone()) is not None:
                return row
            if running and self.process.ended:
                break
            time.sleep(POLL_S)
        self.process.kill()
        raise AssertionError(f"never: {question} {parameters}\n{self.process.output}")

    def wait_until_stopped(self) -> None:
        """Return once the process is blocked at the point."""
        # Not pg_blocking_pids: CREATE INDEX CONCURRENTLY waits for this session, too, while it runs a query.
        waits = "select pid from pg_locks where locktype = 'advisory' and objid = 777 and not granted"
        (self.pid,) = self.wait_for(waits)

    def wait_until_stopped_by(self, other: Connection[Any]) -> None:
        """Return once a session waits for a lock or for the end of an idle `other`."""
        waits = "select pid from pg_stat_activity where %(by)s = any(pg_blocking_pids(pid))"
        (self.pid,) = self.wait_for(waits, by=other.info.backend_pid)

    def wait_until_gone(self, polls: int = 2 * POLLS) -> None:
        """Return once the server has ended every session of the process."""
        self.wait_for(
            "select where not exists (select from pg_stat_activity where datname = current_database() "
            "and application_name = 'aigym-db')",
            running=False,
            polls=polls,
        )

    def open(self) -> None:
        """Release the sessions that wait, and those that follow."""
        self.gate.execute("select pg_advisory_unlock(777)")

    def applied(self) -> list[int]:
        """The versions in the ledger."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            return [row.version for row in ledger.applied(connection)]

    def end(self, how: str, crash: Callable[[], None]) -> None:
        """End the process or its server in one of the ways, and return once no session of it is left."""
        if how == "SIGKILL":
            self.process.kill()
            self.wait_until_gone()
        elif how == "SIGTERM":
            self.process.send_signal(signal.SIGTERM)
            if self.pid not in [holder.pid for holder in locks.holders(self.gate, 2)]:
                # The auxiliary session is blocked, which only a test does: no signal cancels its query.
                self.open()
            self.process.wait()
        elif how == "pg_terminate_backend":
            self.gate.execute("select pg_terminate_backend(%s, 5000)", [self.pid])
            # Its other session must not be blocked.
            self.open()
            self.process.wait()
        else:
            crash()
            self.process.wait()


@pytest.fixture
def database(here: Any) -> Iterator[str]:
    """An empty database."""
    with here.database("up") as dsn:
        yield dsn


@pytest.fixture
def stage(spawn: Callable[..., Any]) -> Iterator[Callable[..., Stage]]:
    """Start the chain on a database and wait until it is blocked at a point."""
    with ExitStack() as stack:

        def staged(dsn: str, point: str, direction: Direction = "up", **more: Any) -> Stage:
            superuser = make_conninfo(dsn, user="postgres")
            gate = psycopg.connect(superuser, autocommit=True, application_name="gate")
            stack.enter_context(closing(gate))
            gate.execute("select pg_advisory_lock(777)")
            gate.execute("insert into gate.target values (%s)", [point])
            stage = Stage(dsn, spawn(dsn, direction, **more), gate)
            stage.wait_until_stopped()
            return stage

        yield staged
