"""Servers that can crash, a chain of migrations, and processes that run it and can be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from psycopg import sql

from aigym_db.database import ledger
from aigym_db.database.servers import process
from aigym_db.database.servers.account import account
from aigym_db.database.servers.databases import create_database
from aigym_db.database.servers.installed import InstalledThrowaway
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.rollback import rollback
from aigym_db.model.migration import Direction, Migration
from aigym_db.project.config import Project
from aigym_db.project.migrations import migrations
from tests.support.servers import installed
from tests.support.waiting import PROCESS_TIMEOUT_S

HERE = Path(__file__).parent
CHAIN = HERE / "chain"
SETTINGS = {"synchronous_commit": "on", "wal_writer_delay": "10s", "autovacuum": "off"}
"""A commit waits for the log or, with synchronous_commit = off, is not flushed before the test has ended."""

Holdings = dict[str, list[tuple[object, ...]]]


@dataclass
class Crashing:
    """A throwaway server that can crash and recover."""

    running: InstalledThrowaway
    _again: subprocess.Popen[bytes] | None = None

    def crash(self) -> None:
        """Stop every process of the server at once without a checkpoint, then start it again."""
        data = self.running.folder / "data"
        postmaster = process.postmaster(data)
        assert postmaster is not None
        command = postmaster.cmdline()
        postmaster.send_signal(signal.SIGQUIT)
        if self._again is not None:
            self._again.wait(PROCESS_TIMEOUT_S)
        process.kill(data)
        process.forget_dead(data)
        with (self.running.folder / "log").open("ab") as log:
            options: Any = account().popen_options()
            self._again = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.running.folder,
                env=process.environment(),
                start_new_session=True,
                **options,
            )
        assert process.came_up(data, self._again.pid), process.log_tail(self.running.folder / "log")

    def end(self) -> None:
        process.kill(self.running.folder / "data")
        if self._again is not None:
            self._again.wait(PROCESS_TIMEOUT_S)


@dataclass
class Ground:
    """A server with the initial and the expected final state of every case, by the role that migrates."""

    server: Crashing
    line: tuple[Migration, ...]
    _made: dict[tuple[str, Direction], Holdings] = field(default_factory=dict)

    @contextmanager
    def database(self, direction: Direction, user: str = "postgres") -> Iterator[str]:
        """The DSN of a new database: empty for `up`, fully migrated for `down`."""
        self.holdings(direction, user)
        with self._copy(f"{user}_{'empty' if direction == 'up' else 'full'}", user) as dsn:
            yield dsn

    def holdings(self, direction: Direction, user: str = "postgres") -> Holdings:
        """The state after an undisturbed run in this direction."""
        if (user, "up") not in self._made:
            empty, full = f"{user}_empty", f"{user}_full"
            self._prepare(empty, user)
            self._execute("create database {} template {} owner {}", full, empty, user)
            dsn = self._dsn(full, user)
            self._made[user, "up"] = self.again(dsn, "up")
            with psycopg.connect(dsn, autocommit=True) as connection:
                # A sequence copied with CREATE DATABASE … TEMPLATE has cached values that count as logged but
                # are not (PostgreSQL 15 to 18): after a crash it returns them again. setval discards them.
                number = "pg_get_serial_sequence('aigym_db.event', 'id')::regclass"
                connection.execute(f"select setval({number}, max(id)) from aigym_db.event")
            with self._copy(full, user) as dsn:
                self._made[user, "down"] = self.again(dsn, "down")
        return self._made[user, direction]

    def again(self, dsn: str, direction: Direction) -> Holdings:
        """Run to the end without a disturbance, and return the state."""
        if direction == "up":
            migrate(dsn, self.line)
        else:
            rollback(dsn, self.line, to=0, yes=True)
        return holdings(dsn)

    def _prepare(self, name: str, user: str) -> None:
        if user != "postgres":
            self._execute("create role {} login nosuperuser nobypassrls", user)
        create_database(self.server.running, name, owner=user)
        with psycopg.connect(self._dsn(name, user), autocommit=True) as connection:
            ledger.create(connection)
        with psycopg.connect(self._dsn(name, "postgres"), autocommit=True) as connection:
            connection.execute((HERE / "gate.sql").read_bytes())

    @contextmanager
    def _copy(self, template: str, user: str) -> Iterator[str]:
        name = f"case_{time.monotonic_ns()}"
        self._execute("create database {} template {} owner {}", name, template, user)
        try:
            yield self._dsn(name, user)
        finally:
            self._execute("drop database {} with (force)", name)

    def _dsn(self, database: str, user: str) -> str:
        return self.server.running.dsn(database, user)

    def _execute(self, text: str, *names: str) -> None:
        with psycopg.connect(self.server.running.dsn(), autocommit=True) as connection:
            connection.execute(sql.SQL(text).format(*map(sql.Identifier, names)))


def holdings(dsn: str) -> Holdings:
    """Everything the chain creates, every row, and the ledger."""
    state: dict[str, list[Any]] = {}
    with psycopg.connect(dsn, autocommit=True) as connection:
        for file in sorted((HERE / "holdings").glob("*.sql")):
            state[file.stem] = connection.execute(file.read_bytes()).fetchall()
        for (table,) in state["tables"]:
            state[f"rows of {table}"] = connection.execute(
                sql.SQL("select * from app.{} order by id").format(sql.Identifier(table))
            ).fetchall()
    return state


@pytest.fixture(scope="session")
def line() -> tuple[Migration, ...]:
    """The migrations of the chain."""
    return migrations(Project(CHAIN))


@pytest.fixture(scope="session")
def ground(line: tuple[Migration, ...]) -> Iterator[Callable[[str], Ground]]:
    """The ground on a server, which starts on first use."""
    grounds: dict[str, Ground] = {}
    with ExitStack() as stack:

        def on(name: str) -> Ground:
            if name not in grounds:
                server = Crashing(stack.enter_context(installed(name, settings=SETTINGS)))
                stack.callback(server.end)
                grounds[name] = Ground(server, line)
            return grounds[name]

        yield on


@pytest.fixture
def here(ground: Callable[[str], Ground]) -> Ground:
    """The ground on the newest server."""
    return ground("embedded:18")


@dataclass
class Process:
    """A process that migrates."""

    pid: int
    log: Path
    _ask: Callable[[str], int]
    returncode: int | None = None

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    @property
    def ended(self) -> bool:
        """True if the process has ended. Does not wait."""
        return self.returncode is not None or psutil.Process(self.pid).status() == psutil.STATUS_ZOMBIE

    def wait(self) -> int:
        """Wait for the end and return the exit status, or the negative signal number."""
        if self.returncode is None:
            self.returncode = self._ask(f"wait {self.pid}")
        return self.returncode

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
        self.wait()

    @property
    def output(self) -> str:
        """Wait for the end and return the output."""
        self.wait()
        return self.log.read_text()

    @property
    def finished(self) -> list[int]:
        """The versions reported as finished so far."""
        lines = self.log.read_text().splitlines(keepends=True)
        return [int(line.split()[1]) for line in lines if line.startswith("finished") and line.endswith("\n")]


@pytest.fixture(scope="session")
def starter() -> Iterator[Callable[[str], int]]:
    """Send requests to the process that starts others."""
    child = subprocess.Popen(
        [sys.executable, str(HERE / "runner.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )

    def ask(request: str) -> int:
        assert child.stdin
        assert child.stdout
        print(request, file=child.stdin, flush=True)
        return int(child.stdout.readline())

    with child:
        yield ask
        assert child.stdin
        child.stdin.close()


Spawn = Callable[..., Process]


@pytest.fixture
def spawn(starter: Callable[[str], int], tmp_path: Path) -> Iterator[Spawn]:
    """Start a process that migrates; it is killed after the test if it still runs."""
    started: list[Process] = []

    def spawned(dsn: str, direction: Direction = "up", project: Path = CHAIN, **more: Any) -> Process:
        log = tmp_path / f"output-{len(started)}"
        log.touch()
        request = {"dsn": dsn, "project": str(project), "direction": direction, "output": str(log), **more}
        started.append(Process(starter(f"start {json.dumps(request)}"), log, starter))
        return started[-1]

    yield spawned
    for child in started:
        if child.returncode is None:
            child.kill()
