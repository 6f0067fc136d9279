"""A project with migrations, its command line, and observer sessions on its database."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from aigym_db.database.servers.server import Throwaway
from aigym_db.model.migration import Migration
from aigym_db.project import config as project_config
from aigym_db.project.migrations import migrations
from tests.support.command import ProjectFolder, Result, RunningCommand
from tests.support.waiting import PROCESS_TIMEOUT_S, wait_until


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "promise(scenario): the row of README.md that a test verifies")


GATE = "select pg_advisory_xact_lock_shared(777);"
"""A statement that waits while a test holds the advisory lock 777."""


class Project(ProjectFolder):
    """A folder with `migrations/` and its command line; stderr is merged into stdout."""

    dsn: str

    def migration(self, name: str, up: str, *rest: Any, frozen: bool = True, **more: Any) -> None:
        """Write a migration, frozen by default."""
        super().migration(name, up, *rest, frozen=frozen, **more)

    def file(self, name: str) -> Path:
        return self.folder / "migrations" / f"{name}.sql"

    def files(self) -> tuple[Migration, ...]:
        """The migrations parsed by the package."""
        return migrations(project_config.Project(self.folder))

    def setting(self, text: str) -> None:
        """Replace the configuration by one setting."""
        self.write("aigym-db.toml", f"{text}\n")

    def start(
        self, *words: str, dsn: str | None = None, variables: Mapping[str, str] | None = None, **more: Any
    ) -> RunningCommand:
        """Start a command on the database; its output is not buffered."""
        variables = {"PYTHONUNBUFFERED": "1", **(variables or {})}
        return super().start(*words, dsn=dsn, variables=variables, stderr=subprocess.STDOUT, **more)


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the environment variables that affect connections and output."""
    for name in list(os.environ):
        if name.startswith("PG") or name in ("DATABASE_URL", "NO_COLOR", "GITHUB_ACTIONS"):
            monkeypatch.delenv(name)


@pytest.fixture
def program() -> Callable[..., Result]:
    """Run a Python program in a separate process and return its result."""

    def ran(text: str, *words: str) -> Result:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", text, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PROCESS_TIMEOUT_S,
            check=False,
        )
        return Result(done.returncode, done.stdout, "")

    return ran


@pytest.fixture
def empty_project(tmp_path: Path) -> Iterator[Project]:
    """A project without a database."""
    project = Project(tmp_path / "project")
    project.setting("")
    (project.folder / "migrations").mkdir()
    yield project
    project.end()


@pytest.fixture
def project(empty_project: Project, database: str) -> Project:
    """A project whose commands use a fresh database."""
    empty_project.dsn = database
    return empty_project


class Session(psycopg.Connection[Any]):
    """An observer session on the database, in autocommit."""

    def one(self, query: str, *values: object) -> Any:
        """The first column of the first row; None if there is no row."""
        row = self.execute(query.encode(), values or None).fetchone()
        return None if row is None else row[0]

    def all(self, query: str) -> list[Any]:
        """The first column of every row."""
        return [row[0] for row in self.execute(query.encode()).fetchall()]

    def wait_for(self, query: str, *, answered: bool = True, **more: Any) -> Any:
        """Wait until the value of a query is true (`answered`) or false; return it."""
        (value,) = wait_until(lambda: [v for v in [self.one(query)] if bool(v) is answered], query, **more)
        return value

    def applied(self) -> list[int]:
        """The versions applied according to the ledger."""
        return self.all("select version from aigym_db.applied order by version")

    def events(self) -> list[str]:
        """The events in the ledger, oldest first, as `kind version`."""
        return self.all("select concat_ws(' ', kind, version) from aigym_db.event order by id")

    def shut_gate(self) -> None:
        self.execute("select pg_advisory_lock(777)")

    def open_gate(self) -> None:
        self.execute("select pg_advisory_unlock(777)")

    def wait_at_gate(self) -> int:
        """Wait for a session at the gate; return its pid."""
        return int(
            self.wait_for(
                "select pid from pg_locks where locktype = 'advisory' and objid = 777 and not granted"
            )
        )


@pytest.fixture
def visit() -> Iterator[Callable[..., Session]]:
    """Open an observer session on a database for the duration of the test."""
    sessions: list[Session] = []

    def connect(dsn: str, **words: Any) -> Session:
        session = Session.connect(dsn, autocommit=True, **words)
        sessions.append(session)
        return session

    yield connect
    for session in sessions:
        session.close()


@pytest.fixture
def other(database: str, visit: Callable[..., Session]) -> Session:
    """An observer session on the fresh database."""
    return visit(database, application_name="a test")


@pytest.fixture
def plain_owner(server: Throwaway, database: str) -> Iterator[str]:
    """A NOLOGIN, non-superuser role with CREATE on the schema public of the fresh database."""
    with closing(psycopg.connect(database, autocommit=True)) as connection:
        connection.execute("create role promise_owner")
        connection.execute("grant create on schema public to promise_owner")
        yield "promise_owner"
        connection.execute("drop owned by promise_owner; drop role promise_owner")
