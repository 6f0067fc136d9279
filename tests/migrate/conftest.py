"""A migration factory, a recording observer and small limits for large files."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from aigym_db.migrate.observer import Finished, Notice, Observer, Waiting
from aigym_db.migrate.transactional import chunks, streamed
from aigym_db.model.migration import Direction, Migration, Plan
from aigym_db.model.source import Source
from aigym_db.project.migrations import parse
from aigym_db.syntax import split

Write = Callable[..., Migration]


@pytest.fixture
def write() -> Write:
    """Create a migration: `write(1, "create table app ()", "drop table app")`."""

    def create(
        version: int,
        up: str,
        down: str | None = "select 1;",
        *,
        name: str | None = None,
        options: str = "",
        down_options: str = "",
    ) -> Migration:
        name = name or f"step_{version}"
        end = (
            f"-- migrate:down{down_options}\n{down}\n"
            if down is not None
            else "-- migrate:down irreversible: what is gone is gone\n"
        )
        text = f"-- {version:04d} {name}\n-- migrate:up{options}\n{up}\n{end}"
        return parse(Source(f"migrations/{version:04d}_{name}.sql", text), version, name)

    return create


class Listener(Observer):
    """Record all events of a run."""

    def __init__(self) -> None:
        self.plans: list[Plan] = []
        self.begun: list[int] = []
        self.resolutions: list[str] = []
        self.notices: list[Notice] = []
        self.waits: list[Waiting] = []
        self.done: list[Finished] = []
        self.on_wait: Callable[[Waiting], None] = lambda waiting: None

    def planned(self, plan: Plan) -> None:
        self.plans.append(plan)

    def started(self, migration: Migration) -> None:
        self.begun.append(migration.version)

    def notice(self, migration: Migration, notice: Notice) -> None:
        self.notices.append(notice)

    def waiting(self, waiting: Waiting) -> None:
        self.waits.append(waiting)
        self.on_wait(waiting)

    def resolved(self, label: str, direction: Direction) -> None:
        self.resolutions.append(f"{label}: {direction}")

    def finished(self, finished: Finished) -> None:
        self.done.append(finished)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def other(database: str) -> Iterator[psycopg.Connection]:
    """Another session on the same database, in autocommit."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reduce the limits for large files and chunks so that small texts exceed them."""
    monkeypatch.setattr(streamed, "LONG", 300)
    monkeypatch.setattr(chunks, "SIZE", 120)
    monkeypatch.setattr(chunks, "DATA_SIZE", 7)
    monkeypatch.setattr(split, "RUN", 100)
