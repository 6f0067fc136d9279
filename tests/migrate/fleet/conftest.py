"""Targets, migrations for them, and the state of each after a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.database.servers.databases import create_database, drop_database
from aigym_db.migrate.fleet.result import FleetObserver, FleetResult, TargetResult
from aigym_db.migrate.observer import Observer
from aigym_db.model.migration import Migration
from aigym_db.model.source import Place
from aigym_db.project.targets import Fleet, Target

Line = tuple[Migration, ...]
COUNT = 12


@pytest.fixture
def target() -> Callable[..., Target]:
    """Create a target: `target("shop", dsn, canary=True)`."""

    def create(name: str, dsn: str, **more: Any) -> Target:
        return Target(name, dsn, Place("targets.toml", 1, 1, "[[target]]"), **more)

    return create


@pytest.fixture
def line(write: Callable[..., Migration]) -> Line:
    return (
        write(1, "create table notes (id int); insert into notes values (0);"),
        write(2, "update notes set id = id + 1;"),
        write(3, "create table more ();"),
    )


@pytest.fixture
def broken(line: Line, write: Callable[..., Migration]) -> Line:
    """The same migrations; the second fails in a database with a table `bad`."""
    text = (
        "do $$ begin if to_regclass('bad') is not null then raise 'this one is bad'; end if; end $$; "
        "update notes set id = id + 1;"
    )
    return (line[0], write(2, text), line[2])


@pytest.fixture
def states() -> Callable[[FleetResult], dict[str, str]]:
    """The state of each target after a run, by name."""
    return lambda result: {each.target.name: each.state for each in result.targets}


@pytest.fixture
def versions() -> Callable[..., list[int]]:
    """The applied versions of a database, or of a tenant schema."""

    def applied(dsn: str, scope: str = "") -> list[int]:
        with psycopg.connect(dsn, autocommit=True) as connection:
            return [row.version for row in ledger.applied(connection, scope)]

    return applied


class Diary(FleetObserver):
    """Record the events of a fleet run, in order."""

    def __init__(self) -> None:
        self.pages: list[tuple[str, str]] = []
        self.running: set[str] = set()
        self.most = 0

    def started(self, result: TargetResult) -> Observer:
        self.pages.append(("started", result.target.name))
        self.running.add(result.target.name)
        self.most = max(self.most, len(self.running))
        return Observer()

    def ended(self, result: TargetResult) -> None:
        self.pages.append(("ended", result.target.name))
        self.running.discard(result.target.name)


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture(scope="module")
def databases(server) -> Iterator[list[str]]:
    """Twelve databases; `fresh` empties them before each test."""
    created = [create_database(server) for _ in range(COUNT)]
    yield [database.dsn for database in created]
    for database in created:
        drop_database(server, database.name)


@pytest.fixture
def fresh(databases) -> list[str]:
    """The twelve databases, empty."""
    for dsn in databases:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(
                "drop schema if exists aigym_db cascade; drop schema public cascade; create schema public"
            )
    return databases


@pytest.fixture
def fleet(fresh, target) -> Fleet:
    """Twelve databases; the second and the last are canaries."""
    return Fleet(
        tuple(
            target(f"shop-{number:02d}", dsn, canary=number in (1, COUNT - 1))
            for number, dsn in enumerate(fresh)
        )
    )
