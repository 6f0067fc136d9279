"""A new user: makes a project with `init`, types commands, reads what comes back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from aigym_db.cli.main import status
from aigym_db.database.catalog import snapshot
from aigym_db.database.servers.databases import Database, temporary_database
from aigym_db.database.servers.server import Throwaway
from tests.support.command import ProjectFolder, ProjectInProcess, RunningCommand
from tests.support.waiting import wait_for_row

Shop = ProjectInProcess


def holdings(dsn: str) -> tuple[object, ...]:
    """Return the contents of a database: objects, ledger, the rows of notes."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        ledger = "select version, name, checksum, applied_at from aigym_db.applied order by version"
        return (
            snapshot(connection, ignore_schemas=()).facts,
            connection.execute(ledger).fetchall(),
            connection.execute("select * from app.notes order by id").fetchall(),
        )


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the settings of the environment."""
    for name in list(os.environ):
        if name.startswith("PG") or name in ("DATABASE_URL", "NO_COLOR", "CI", "GITHUB_ACTIONS"):
            monkeypatch.delenv(name)


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    """A new project."""
    assert status(["-C", str(tmp_path), "init", "shop"]) == 0
    return Shop(tmp_path / "shop", capsys)


@pytest.fixture
def migrated(shop: Shop, database: str) -> str:
    """The DSN of a database that has run the migrations of `shop`."""
    assert shop("--database", database, "migrate").status == 0
    return database


@dataclass(frozen=True)
class OwnServer:
    """The project whose local server the tests of this process share, and where it listens."""

    folder: Path
    dsn: str


@pytest.fixture(scope="session")
def up_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    """A project on which `up` has been run; read-only for tests, its server is stopped at the end."""
    folder = tmp_path_factory.mktemp("with a server") / "shop"
    parent = ProjectFolder(folder.parent)

    def aigym(*words: str) -> str:
        result = parent.run(*words)
        assert result.status == 0, result.err
        return result.out

    aigym("init", "shop")
    try:
        aigym("-C", str(folder), "up")
        yield OwnServer(folder, aigym("-C", str(folder), "server", "url").strip())
    finally:
        aigym("-C", str(folder), "server", "stop")
        shutil.rmtree(folder.parent)


@pytest.fixture
def stopped_shop(shop: Shop) -> Iterator[Shop]:
    """A new project whose local server, should it get one, is gone after the test."""
    yield shop
    shop("server", "stop")
    shutil.rmtree(shop.folder)


@pytest.fixture
def local_shop(up_once: OwnServer, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(up_once.folder, capsys)


@pytest.fixture
def role(server: Throwaway, created: Database) -> Iterator[Callable[[str], str]]:
    """Makes a login role with these attributes and gives the DSN with which it connects to `database`."""
    made: list[str] = []
    name = created.name
    with closing(psycopg.connect(server.dsn(), autocommit=True)) as connection:

        def make(statement: str) -> str:
            login = f"visitor_{len(made)}"
            connection.execute(f"create role {login} login".encode())
            made.append(login)
            if statement:
                connection.execute(statement.format(role=login).encode())
            return server.dsn(name, login)

        yield make
        for login in made:
            connection.execute(f"drop role {login}".encode())


@pytest.fixture
def spawn() -> Iterator[Callable[..., RunningCommand]]:
    """Start a command in a process of its own; it is killed after the test if it still runs."""
    projects: list[ProjectFolder] = []

    def start(folder: Path, *words: str, **variables: str) -> RunningCommand:
        projects.append(ProjectFolder(folder))
        return projects[-1].start(*words, variables=variables)

    yield start
    for project in projects:
        project.end()


@pytest.fixture
def another_database(server: Throwaway) -> Iterator[str]:
    with temporary_database(server) as other:
        yield other.dsn


@pytest.fixture(name="wait_for")
def wait_for_fixture() -> Callable[..., tuple[Any, ...]]:
    return wait_for_row


@pytest.fixture(name="holdings")
def holdings_fixture() -> Callable[[str], tuple[object, ...]]:
    return holdings
