"""A new user: makes a project with `init`, types commands, reads what comes back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from aigym_db.cli.main import status
from aigym_db.database.catalog import snapshot
from aigym_db.database.servers import Throwaway, create_database, drop_database, gc

ENTRY = "from aigym_db.cli.main import run; run()"


@dataclass(frozen=True)
class Seen:
    """What a command left on the screen."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as JSON; fails when there is anything beside one document."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Shop:
    """A project, and commands run in it."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> Seen:
        """Runs one command line in the project."""
        self.capsys.readouterr()
        code = status(["-C", str(self.folder), *words])
        printed = self.capsys.readouterr()
        return Seen(code, printed.out, printed.err)

    def write(self, file: str, text: str) -> None:
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")

    def write_all(self, files: Mapping[str, str]) -> None:
        """Writes several files; a text that begins with `…` goes to the end of its file."""
        for file, text in files.items():
            (self.append if text.startswith("…") else self.write)(file, text.removeprefix("…"))

    def append(self, file: str, text: str) -> None:
        self.write(file, (self.folder / file).read_text(encoding="utf-8") + text)

    def replace(self, file: str, before: str, after: str) -> None:
        text = (self.folder / file).read_text(encoding="utf-8")
        assert before in text
        self.write(file, text.replace(before, after, 1))

    def migration(self, name: str, up: str, down: str = "select 1;", options: str = "") -> None:
        """A migration; `name` as in its file's name."""
        self.write(
            f"migrations/{name}.sql",
            f"-- {name.replace('_', ' ')}\n-- migrate:up{options}\n{up}\n-- migrate:down\n{down}\n",
        )

    def contents(self) -> dict[str, bytes]:
        """Every file of the project, the local server's apart."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file() and ".aigym-db" not in path.parts
        }


def holdings(dsn: str) -> tuple[object, ...]:
    """Everything a database holds as far as it is anybody's business: objects, ledger, the rows of notes."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        ledger = "select version, name, checksum, applied_at from aigym_db.applied order by version"
        return (
            snapshot(connection, ignore_schemas=()).facts,
            connection.execute(ledger).fetchall(),
            connection.execute("select * from app.notes order by id").fetchall(),
        )


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests."""
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
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment.pop("DATABASE_URL", None)

    def aigym(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", ENTRY, "-C", str(folder.parent), *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    aigym("init", "shop")
    try:
        aigym("-C", str(folder), "up")
        yield OwnServer(folder, aigym("-C", str(folder), "server", "url").strip())
    finally:
        aigym("-C", str(folder), "server", "stop")
        shutil.rmtree(folder.parent)
        gc()


@pytest.fixture
def stopped_shop(shop: Shop) -> Iterator[Shop]:
    """A new project whose local server, should it get one, is gone after the test."""
    yield shop
    shop("server", "stop")
    shutil.rmtree(shop.folder)
    # As root the server of a folder that nobody else may enter lies elsewhere.
    gc()


@pytest.fixture
def local_shop(up_once: OwnServer, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(up_once.folder, capsys)


@pytest.fixture
def role(server: Throwaway, database: str) -> Iterator[Callable[[str], str]]:
    """Makes a login role with these attributes and gives the DSN with which it connects to `database`."""
    made: list[str] = []
    name = database.partition("?")[0].rpartition("/")[2]
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
def spawn() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a command in a process of its own; what is left of it is killed after the test."""
    started: list[subprocess.Popen[str]] = []

    def spawned(folder: Path, *words: str, **variables: str) -> subprocess.Popen[str]:
        popen = subprocess.Popen(
            [sys.executable, "-c", ENTRY, *words],
            cwd=folder,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(popen)
        return popen

    yield spawned
    for popen in started:
        if popen.poll() is None:
            popen.kill()
        popen.communicate()


@pytest.fixture
def another_database(server: Throwaway) -> Iterator[str]:
    dsn = create_database(server)
    yield dsn
    drop_database(server, dsn.partition("?")[0].rpartition("/")[2])


def wait_for(connection: psycopg.Connection[Any], question: str, limit_s: float = 20.0) -> tuple[Any, ...]:
    """The first row of an answer, once there is one."""
    until = time.monotonic() + limit_s
    while (row := connection.execute(question.encode()).fetchone()) is None:
        assert time.monotonic() < until, f"never: {question}"
        time.sleep(0.01)
    return row


@pytest.fixture(name="wait_for")
def wait_for_fixture() -> Callable[..., tuple[Any, ...]]:
    return wait_for


@pytest.fixture(name="holdings")
def holdings_fixture() -> Callable[[str], tuple[object, ...]]:
    return holdings
