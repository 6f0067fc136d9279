"""A project of four migrations, and commands that run on it in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from aigym_db.cli.main import status

ENTRY = "from aigym_db.cli.main import run; run()"
ALL = [1, 2, 3, 4]
_THEIRS = ("PG", "CI", "GITHUB_", "NO_COLOR", "PYTHONUNBUFFERED", "PYTHONIOENCODING")


@dataclass(frozen=True)
class Steps:
    """A project whose migrations each make a table `step_<n>`, and the database it is for."""

    folder: Path
    dsn: str

    def write(self, number: int, up: str = "", options: str = "") -> None:
        """A migration that also does `up`, frozen."""
        text = f"create table step_{number} (x int);\n{up}\n"
        (self.folder / f"migrations/{number:04d}_step.sql").write_text(
            f"-- A step.\n-- migrate:up{options}\n{text}-- migrate:down\ndrop table step_{number};\n", "utf-8"
        )
        (self.folder / "migrations/LOCK").write_text("")
        assert status(["-C", str(self.folder), "freeze"]) == 0

    def environment(self, **variables: str) -> dict[str, str]:
        """The database is named by a variable; no other setting of whoever runs the tests is there."""
        left = {name: value for name, value in os.environ.items() if not name.startswith(_THEIRS)}
        return {**left, "DATABASE_URL": self.dsn, "TERM": "xterm", **variables}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-c", ENTRY, "-C", str(self.folder), *words]

    def start(self, *words: str, variables: dict[str, str] | None = None, **more: Any) -> Any:
        """A command on its way; its output can be read unless `more` says where it goes."""
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            self.command(*words),
            env=self.environment(**(variables or {})),
            **{**streams, "encoding": "utf-8", **more},
        )

    def run(self, *words: str, **more: Any) -> tuple[int, str, str]:
        """The exit status of a command, what it wrote to stdout, and to stderr."""
        with self.start(*words, **more) as popen:
            out, err = popen.communicate(timeout=60)
            return popen.returncode, out or "", err or ""

    def applied(self) -> list[int]:
        with psycopg.connect(self.dsn) as connection:
            rows = connection.execute("select version from aigym_db.applied order by version").fetchall()
        return [version for (version,) in rows]


@pytest.fixture
def steps(tmp_path: Path, database: str) -> Steps:
    """Four migrations, none of them applied."""
    (tmp_path / "aigym-db.toml").touch()
    (tmp_path / "migrations").mkdir()
    made = Steps(tmp_path, database)
    for number in ALL:
        made.write(number)
    return made


@pytest.fixture
def migrated(steps: Steps) -> Steps:
    """The same, all of them applied."""
    assert steps.run("migrate")[0] == 0
    return steps


@pytest.fixture
def wait_for_the_gate() -> Callable[[psycopg.Connection[Any]], None]:
    """Returns once a migration waits for the advisory lock 4711, which the test holds."""
    waiting = b"select from pg_locks where locktype = 'advisory' and objid = 4711 and not granted"

    def wait(holder: psycopg.Connection[Any]) -> None:
        until = time.monotonic() + 30
        while holder.execute(waiting).fetchone() is None:
            assert time.monotonic() < until, "nobody waits"
            time.sleep(0.01)

    return wait


def _full_disk() -> int:
    return os.open("/dev/full", os.O_WRONLY)


def _no_reader() -> int:
    read, written = os.pipe()
    os.close(read)
    return written


UNWRITABLE = {"No space left on device": _full_disk, "Broken pipe": _no_reader}


@pytest.fixture
def no_reader() -> Iterator[int]:
    """A pipe whose other end is closed."""
    descriptor = _no_reader()
    yield descriptor
    os.close(descriptor)


@pytest.fixture(params=UNWRITABLE, ids=str)
def unwritable(request: pytest.FixtureRequest) -> Iterator[tuple[int, str]]:
    """Where nothing can be written, and why."""
    descriptor = UNWRITABLE[request.param]()
    yield descriptor, request.param
    os.close(descriptor)
