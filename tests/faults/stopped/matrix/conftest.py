"""Every point at which a run of the chain can be interrupted, and the ways to interrupt it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aigym_db.database.servers.binaries import available, find
from aigym_db.migrate.preflight import steps
from aigym_db.model.migration import Direction
from aigym_db.project.config import Project
from aigym_db.project.migrations import migrations
from aigym_db.syntax.transaction_block import rejected_in_block
from tests.support.sampling import sampled

MAJORS = (15, 16, 17, 18)
SAMPLE = 13
"""Of so many cases one belongs to `make test`. Prime, so that every way, command and server is among them."""
WAYS = ("SIGKILL", "SIGTERM", "pg_terminate_backend", "immediate stop")
COMMANDS: dict[str, Direction] = {"migrate": "up", "rollback": "down"}
_DEFINES = re.compile(r"create|alter|drop|comment")
_CHECKED = {
    "validate constraint": "check",
    "from stdin": "copy",
    "done = true": "batch",
    "done = false": "copy",
}
"""Statements that evaluate a check for each row, and its name in gate.row."""
_WAITS_FOR = {
    "create": ("row exclusive", "snapshot"),
    "reindex": ("row exclusive", "snapshot", "access share"),
    "drop": ("access share",),
    "alter": ("access share",),
    "vacuum": ("share update exclusive",),
}
"""What blocks a non-transactional statement in each phase: a lock on its table, or an older snapshot."""


@dataclass(frozen=True)
class Point:
    """A point of a run, by its name in gate.sql."""

    name: str
    transactional: bool
    table: str = ""
    held: str = ""
    """The lock on `table`, or a snapshot, to hold from this point on, to block the next statement."""

    def __str__(self) -> str:
        return f"{self.name} {self.held}".strip().replace(" ", "-")


@dataclass(frozen=True)
class Case:
    """An interrupted run."""

    major: int
    server: str
    command: str
    point: Point
    way: str
    user: str = "postgres"
    """The role that migrates; `plain` is a non-superuser owner that does not bypass row security."""

    @property
    def direction(self) -> Direction:
        return COMMANDS[self.command]

    def __str__(self) -> str:
        owner = "-plain" if self.user == "plain" else ""
        return f"{self.major}{owner}-{self.command}-{self.point}-{self.way.replace(' ', '-')}"


def points(direction: Direction) -> Iterator[Point]:
    """Yield the start of each statement, its middle, and the points around each ledger event."""
    line = migrations(Project(Path(__file__).parents[2] / "chain"))
    behind = 0
    yield from _around("start", True)
    for migration in line if direction == "up" else reversed(line):
        part = migration.up if direction == "up" else migration.down
        assert part is not None
        inside = part.transaction and part.batch_rows is None
        defined = 0
        for number, step in enumerate(steps(part), start=1):
            word = step.text.split()[0]
            if _DEFINES.match(word):
                defined += 1
                key = f"{behind}.0.{defined}" if part.transaction else f"{behind}.{number - 1}.1"
                yield Point(f"ddl_command_start {key}", inside)
                yield Point(f"ddl_command_end {key}", inside)
            for key in _rows(word, step.text):
                yield Point(f"row {key} 1", inside)
                yield Point(f"row {key} 25", inside)
            event = f"{migration.version} {number}"
            alone = not part.transaction and rejected_in_block(step.tree)
            if alone or part.batch_rows:
                yield from _around(f"intent {event}", False)
            if alone:
                table = re.search(r"app\.(?:accounts|notes|measures)", step.text)
                assert table
                for held in _WAITS_FOR[word]:
                    yield Point(f"commit intent {event}", False, table[0], held)
            if not inside:
                yield from _around(f"done {event}", False)
        yield from _around(f"{'apply' if direction == 'up' else 'rollback'} {migration.version}", inside)
        behind = migration.version


def _around(event: str, transactional: bool) -> Iterator[Point]:
    yield Point(f"insert {event}", transactional)
    yield Point(f"commit {event}", transactional)


def _rows(word: str, text: str) -> list[str]:
    """The names under which a statement evaluates gate.row, itself or in a check of its table."""
    for words, key in _CHECKED.items():
        if words in text:
            return [key]
    return [] if _DEFINES.match(word) else re.findall(r"gate\.row\('([^']+)'", text)


def servers() -> dict[int, str]:
    """The servers to test on, by major version: those of AIGYM_DB_TEST_SERVERS, else the installed ones.

    In CI all four are required.
    """
    names = os.environ.get("AIGYM_DB_TEST_SERVERS", "").split() or available()
    by_major = {find(name).major: name for name in reversed(names)}
    missing = [str(major) for major in MAJORS if major not in by_major]
    if missing and os.environ.get("CI"):
        raise pytest.UsageError(
            f"The kill matrix lacks PostgreSQL {', '.join(missing)}: name servers in AIGYM_DB_TEST_SERVERS, "
            "as .ci/run does."
        )
    return {major: by_major[major] for major in MAJORS if major in by_major}


def matrix() -> Iterator[Case]:
    """Yield every point on every second server, and every third point once more as a non-superuser owner.

    The ways alternate. AIGYM_DB_TEST_MATRIX=complete yields every point on every server in every way, and
    again as a non-superuser owner.
    """
    by_major, complete = servers(), os.environ.get("AIGYM_DB_TEST_MATRIX") == "complete"
    newest = max(by_major)
    for command, direction in COMMANDS.items():
        for number, point in enumerate(points(direction)):
            for place, (major, name) in enumerate(by_major.items()):
                if complete or (number + place) % 2 == 0:
                    ways = WAYS if complete else [WAYS[(number // 2 + place // 2) % len(WAYS)]]
                    yield from (Case(major, name, command, point, way) for way in ways)
            if complete or number % 3 == 0:
                yield Case(newest, by_major[newest], command, point, WAYS[number % len(WAYS)], "plain")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize a test that takes a `case` with the matrix; all but a sample of it are exhaustive."""
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", sampled(matrix(), SAMPLE))
