"""A project of migrations alone, the real command line on it, and what a database holds afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from aigym_db.cli.main import status
from aigym_db.database.servers import Throwaway
from aigym_db.model.migration import Migration
from aigym_db.project import config as project_config
from aigym_db.project.migrations import migrations


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "promise(scenario): the line of README.md that a test tries to break")


ENTRY = "from aigym_db.cli.main import run; run()"
GATE = "select pg_advisory_xact_lock_shared(777);"
"""A statement that waits for as long as a test holds the lock."""


@dataclass(frozen=True)
class Seen:
    """How a command ended, and what it printed, to both streams."""

    status: int
    out: str


class Running:
    """A command in a process of its own."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        self.popen = popen

    def seen(self, limit_s: float = 60.0) -> Seen:
        """How it ended; waits for that."""
        out, _ = self.popen.communicate(timeout=limit_s)
        return Seen(self.popen.returncode, out)

    def says(self, words: str, limit_s: float = 30.0) -> str:
        """What it printed so far, once these words are among it."""
        until = time.monotonic() + limit_s
        said = ""
        assert self.popen.stdout is not None
        while words not in said:
            line = self.popen.stdout.readline()
            assert line, f"ended without saying {words!r}: {said}"
            assert time.monotonic() < until
            said += line
        return said


class Project:
    """A folder with `migrations/`, and the command line run in it."""

    def __init__(self, folder: Path, started: list[subprocess.Popen[str]]) -> None:
        self.folder = folder
        self.dsn = ""
        self._started = started
        (folder / "migrations").mkdir(parents=True)
        (folder / "aigym-db.toml").write_text("", encoding="utf-8")

    def file(self, name: str) -> Path:
        return self.folder / "migrations" / f"{name}.sql"

    def migration(
        self,
        name: str,
        up: str,
        down: str | None = "select 1;",
        *,
        options: str = "",
        frozen: bool = True,
    ) -> None:
        """A file, frozen unless told otherwise; without `down` it is irreversible."""
        options = f" {options}" if options else ""
        end = "-- migrate:down irreversible: a test\n" if down is None else f"-- migrate:down\n{down}\n"
        self.file(name).write_text(f"-- migrate:up{options}\n{up}\n{end}", encoding="utf-8", newline="")
        if frozen:
            self.freeze()

    def files(self) -> tuple[Migration, ...]:
        """The migrations as the package reads them."""
        return migrations(project_config.Project(self.folder))

    def freeze(self) -> None:
        assert status(["-C", str(self.folder), "freeze"]) == 0

    def setting(self, text: str) -> None:
        (self.folder / "aigym-db.toml").write_text(f"{text}\n", encoding="utf-8")

    def start(self, *words: str, dsn: str | None = None) -> Running:
        """Starts a command on the database; what is printed to both streams comes in one."""
        popen = subprocess.Popen(
            [
                sys.executable,
                "-W",
                "error",
                "-c",
                ENTRY,
                "-C",
                str(self.folder),
                "--database",
                dsn or self.dsn,
                *words,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._started.append(popen)
        return Running(popen)

    def run(self, *words: str, dsn: str | None = None) -> Seen:
        """Runs a command to its end."""
        return self.start(*words, dsn=dsn).seen()


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says about databases and terminals is left out."""
    for name in list(os.environ):
        if name.startswith("PG") or name in ("DATABASE_URL", "NO_COLOR", "GITHUB_ACTIONS"):
            monkeypatch.delenv(name)


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes of a test; what is left of them is killed."""
    running: list[subprocess.Popen[str]] = []
    yield running
    for popen in running:
        if popen.poll() is None:
            popen.kill()
        popen.communicate()


@pytest.fixture
def program() -> Callable[..., Seen]:
    """Runs a Python program in a process of its own, with these arguments, to its end."""

    def ran(text: str, *words: str) -> Seen:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", text, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        return Seen(done.returncode, done.stdout)

    return ran


@pytest.fixture
def empty_project(tmp_path: Path, started: list[subprocess.Popen[str]]) -> Project:
    """A project that knows no database yet."""
    return Project(tmp_path / "project", started)


@pytest.fixture
def project(empty_project: Project, database: str) -> Project:
    """A project whose commands work on a fresh database."""
    empty_project.dsn = database
    return empty_project


class Session(psycopg.Connection[Any]):
    """Somebody else's session on the database, in autocommit."""

    def one(self, question: str, *values: object) -> Any:
        """The first column of the first row; None when there is no row."""
        row = self.execute(question.encode(), values or None).fetchone()
        return None if row is None else row[0]

    def all(self, question: str) -> list[Any]:
        """The first column of every row."""
        return [row[0] for row in self.execute(question.encode()).fetchall()]

    def wait_for(self, question: str, *, answered: bool = True, limit_s: float = 20.0) -> Any:
        """The answer once there is one that is true; not `answered`: once there is none that is."""
        until = time.monotonic() + limit_s
        while bool(found := self.one(question)) is not answered:
            assert time.monotonic() < until, f"never: {question}"
            time.sleep(0.01)
        return found

    def applied(self) -> list[int]:
        """The versions the ledger has."""
        return self.all("select version from aigym_db.applied order by version")

    def events(self) -> list[str]:
        """What the ledger tells, oldest first, as `kind version`."""
        return self.all("select concat_ws(' ', kind, version) from aigym_db.event order by id")

    def shut_gate(self) -> None:
        self.execute("select pg_advisory_lock(777)")

    def open_gate(self) -> None:
        self.execute("select pg_advisory_unlock(777)")

    def wait_at_gate(self) -> int:
        """The session that waits at the gate."""
        return int(
            self.wait_for(
                "select pid from pg_locks where locktype = 'advisory' and objid = 777 and not granted"
            )
        )


@pytest.fixture
def visit() -> Iterator[Callable[..., Session]]:
    """Connects somebody else to a database; the session ends with the test."""
    sessions: list[Session] = []

    def made(dsn: str, **words: Any) -> Session:
        session = Session.connect(dsn, autocommit=True, **words)
        sessions.append(session)
        return session

    yield made
    for session in sessions:
        session.close()


@pytest.fixture
def other(database: str, visit: Callable[..., Session]) -> Session:
    """Somebody else's session on the fresh database."""
    return visit(database, application_name="a test")


@pytest.fixture
def plain_owner(server: Throwaway, database: str) -> Iterator[str]:
    """A role without special rights that may make things in the fresh database and cannot log in."""
    with closing(psycopg.connect(database, autocommit=True)) as connection:
        connection.execute("create role promise_owner")
        connection.execute("grant create on schema public to promise_owner")
        yield "promise_owner"
        connection.execute("drop owned by promise_owner; drop role promise_owner")
