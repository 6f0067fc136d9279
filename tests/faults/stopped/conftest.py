"""The chain that is stopped at any one of its points."""

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
    """A database, a process that runs the chain on it, and who stops that at one point."""

    dsn: str
    process: Any
    """As `spawn` gives it."""
    gate: Connection[Any]
    pid: int = 0
    """The session of the process that was stopped."""

    def wait_for(
        self, question: str, *, running: bool = True, polls: int = 2 * POLLS, **parameters: Any
    ) -> tuple[Any, ...]:
        """The first row of an answer, once there is one; with `running`, not later than the process ends."""
        for _ in range(polls):
            if (row := self.gate.execute(question, parameters).fetchone()) is not None:
                return row
            if running and self.process.ended:
                break
            time.sleep(POLL_S)
        self.process.kill()
        raise AssertionError(f"never: {question} {parameters}\n{self.process.output}")

    def wait_until_stopped(self) -> None:
        """Returns once the process stands at the point."""
        # Not whoever waits for this session: CREATE INDEX CONCURRENTLY does, while it asks.
        waits = "select pid from pg_locks where locktype = 'advisory' and objid = 777 and not granted"
        (self.pid,) = self.wait_for(waits)

    def wait_until_stopped_by(self, other: Connection[Any]) -> None:
        """Returns once a session waits for a lock or for the end of an idle `other`."""
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
        """Lets pass whoever waits, and all behind."""
        self.gate.execute("select pg_advisory_unlock(777)")

    def applied(self) -> list[int]:
        """What is committed."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            return [one.version for one in ledger.applied(connection)]

    def end(self, how: str, crash: Callable[[], None]) -> None:
        """Disturbs the run and returns once nothing of it is left."""
        if how == "SIGKILL":
            self.process.kill()
            self.wait_until_gone()
        elif how == "SIGTERM":
            self.process.send_signal(signal.SIGTERM)
            if self.pid not in [holder.pid for holder in locks.holders(self.gate, 2)]:
                # It is the session for short questions, which only a test stops, so nobody cancels it.
                self.open()
            self.process.wait()
        elif how == "pg_terminate_backend":
            self.gate.execute("select pg_terminate_backend(%s, 5000)", [self.pid])
            # What it still tries on its other session is not to be stopped.
            self.open()
            self.process.wait()
        else:
            crash()
            self.process.wait()


@pytest.fixture
def database(here: Any) -> Iterator[str]:
    """A database for a run up."""
    with here.database("up") as dsn:
        yield dsn


@pytest.fixture
def stage(spawn: Callable[..., Any]) -> Iterator[Callable[..., Stage]]:
    """Starts the chain on a database, and stops it at a point."""
    with ExitStack() as stack:

        def staged(dsn: str, point: str, direction: Direction = "up", **more: Any) -> Stage:
            superuser = make_conninfo(dsn, user="postgres")
            gate = psycopg.connect(superuser, autocommit=True, application_name="gate")
            stack.enter_context(closing(gate))
            gate.execute("select pg_advisory_lock(777)")
            gate.execute("insert into gate.target values (%s)", [point])
            found = Stage(dsn, spawn(dsn, direction, **more), gate)
            found.wait_until_stopped()
            return found

        yield staged
