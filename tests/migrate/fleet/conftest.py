"""Targets and a line of migrations for them, and what became of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.database.servers import create_database, drop_database
from aigym_db.migrate.fleet.result import FleetObserver, FleetResult, TargetResult
from aigym_db.migrate.observer import Observer
from aigym_db.model.migration import Migration
from aigym_db.model.source import Place
from aigym_db.project.targets import Fleet, Target

Line = tuple[Migration, ...]
COUNT = 12


@pytest.fixture
def target() -> Callable[..., Target]:
    """Makes a target: `target("shop", dsn, canary=True)`."""

    def made(name: str, dsn: str, **more: Any) -> Target:
        return Target(name, dsn, Place("targets.toml", 1, 1, "[[target]]"), **more)

    return made


@pytest.fixture
def line(write: Callable[..., Migration]) -> Line:
    return (
        write(1, "create table notes (id int); insert into notes values (0);"),
        write(2, "update notes set id = id + 1;"),
        write(3, "create table more ();"),
    )


@pytest.fixture
def broken(line: Line, write: Callable[..., Migration]) -> Line:
    """The same, and the second fails where a table `bad` is."""
    text = (
        "do $$ begin if to_regclass('bad') is not null then raise 'this one is bad'; end if; end $$; "
        "update notes set id = id + 1;"
    )
    return (line[0], write(2, text), line[2])


@pytest.fixture
def states() -> Callable[[FleetResult], dict[str, str]]:
    """The state in which a run left each target, by name."""
    return lambda result: {outcome.target.name: outcome.state for outcome in result.outcomes}


@pytest.fixture
def versions() -> Callable[..., list[int]]:
    """What the ledger of a database has as applied, for itself or for a tenant schema."""

    def applied(dsn: str, scope: str = "") -> list[int]:
        with psycopg.connect(dsn, autocommit=True) as connection:
            return [row.version for row in ledger.applied(connection, scope)]

    return applied


class Diary(FleetObserver):
    """Writes down what happens, in order."""

    def __init__(self) -> None:
        self.pages: list[tuple[str, str]] = []
        self.at_work: set[str] = set()
        self.most = 0

    def started(self, outcome: TargetResult) -> Observer:
        self.pages.append(("started", outcome.target.name))
        self.at_work.add(outcome.target.name)
        self.most = max(self.most, len(self.at_work))
        return Observer()

    def ended(self, outcome: TargetResult) -> None:
        self.pages.append(("ended", outcome.target.name))
        self.at_work.discard(outcome.target.name)


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture(scope="module")
def databases(server) -> Iterator[list[str]]:
    """Twelve databases; what one test leaves in them is dropped before the next by `fresh`."""
    created = [create_database(server) for _ in range(COUNT)]
    yield [database.dsn for database in created]
    for database in created:
        drop_database(server, database.name)


@pytest.fixture
def fresh(databases) -> list[str]:
    """The same, empty."""
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
