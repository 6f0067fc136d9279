"""A project of four migrations, and commands that run on it in a process of their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.command import ProjectFolder
from tests.support.waiting import wait_for_row

ALL = [1, 2, 3, 4]


class Steps(ProjectFolder):
    """A project whose migrations each create a table `step_<n>`, and the database they are for."""

    dsn: str

    def step(self, number: int, up: str = "", options: str = "") -> None:
        """Write a migration that also executes `up`, and freeze all of them."""
        up = f"create table step_{number} (x int);\n{up}"
        self.migration(f"{number:04d}_step", up, f"drop table step_{number};", options=options)
        self.write("migrations/LOCK", "")
        self.freeze()

    def applied(self) -> list[int]:
        """The versions of the applied migrations."""
        with psycopg.connect(self.dsn) as connection:
            rows = connection.execute("select version from aigym_db.applied order by version").fetchall()
        return [version for (version,) in rows]


@pytest.fixture
def steps(tmp_path: Path, database: str) -> Iterator[Steps]:
    """Four migrations, none of them applied."""
    (tmp_path / "aigym-db.toml").touch()
    project = Steps(tmp_path, database)
    for number in ALL:
        project.step(number)
    yield project
    project.end()


@pytest.fixture
def migrated(steps: Steps) -> Steps:
    """The same, all of them applied."""
    assert steps.run("migrate").status == 0
    return steps


@pytest.fixture
def wait_for_the_gate() -> Callable[[psycopg.Connection[Any]], None]:
    """Returns once a migration waits for the advisory lock 4711, which the test holds."""
    waiting = "select from pg_locks where locktype = 'advisory' and objid = 4711 and not granted"

    def wait(holder: psycopg.Connection[Any]) -> None:
        wait_for_row(holder, waiting)

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
