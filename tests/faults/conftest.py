"""A chain of migrations with a barrier at any statement boundary, and a process that runs it and can be
killed there."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from aigym_db.database.servers import Throwaway, create_database, drop_database
from aigym_db.migrate.apply import migrate
from aigym_db.project.config import Project
from aigym_db.project.migrations import migrations

BARRIER = "select pg_advisory_xact_lock_shared(777);"
"""A statement that waits for as long as the test holds the lock, and changes nothing."""

Chain = dict[str, tuple[str, list[str]]]
"""The options and statements of each file."""

CHAIN: Chain = {
    "0001_accounts": (
        "",
        [
            "create schema app;",
            "create table app.accounts (id int primary key, balance int not null);",
            "insert into app.accounts select i, 100 from generate_series(1, 50) as i;",
        ],
    ),
    "0002_interest": (
        "",
        ["update app.accounts set balance = balance + 1;", "update app.accounts set balance = balance * 2;"],
    ),
    "0003_indexes": (
        " transaction:false",
        [
            "create index concurrently accounts_balance_idx on app.accounts (balance);",
            "update app.accounts set balance = balance + 3;",
            "create unique index concurrently accounts_both_idx on app.accounts (id, balance);",
            "vacuum app.accounts;",
        ],
    ),
    "0004_notes": (
        "",
        ["create table app.notes (id int primary key, account_id int references app.accounts);"],
    ),
    "0005_swap": (
        "",
        [
            "drop index app.accounts_balance_idx;",
            "alter table app.accounts add column bonus int default 7;",
            "update app.accounts set bonus = bonus + balance;",
        ],
    ),
    "0006_last": ("", ["insert into app.notes select id, id from app.accounts;"]),
}
DEFINING_BARRIER = (
    "create table app.gate as select 1 as one from pg_advisory_xact_lock_shared(777); drop table app.gate;"
)
"""The same in a file that only defines things."""

DEFINITIONS: Chain = {
    "0001_schema": ("", ["create schema app;"]),
    "0002_accounts": (
        "",
        ["create table app.accounts (id int primary key);", "comment on table app.accounts is 'A';"],
    ),
    "0003_notes": (
        "",
        ["create table app.notes (id int);", "alter table app.notes add column account_id int;"],
    ),
    "0004_key": (
        "",
        [
            "alter table app.notes add foreign key (account_id) references app.accounts;",
            "create index notes_account_id_idx on app.notes (account_id);",
        ],
    ),
    "0005_columns": (
        "",
        [
            "alter table app.accounts add column a int;",
            "alter table app.accounts add column b int default 7;",
        ],
    ),
    "0006_swap": (
        "",
        ["drop index app.notes_account_id_idx;", "create index notes_id_idx on app.notes (id);"],
    ),
    "0007_check": (
        "",
        ["alter table app.accounts add check (a > 0);", "alter table app.accounts drop column b;"],
    ),
    "0008_unique": ("", ["alter table app.notes add unique (id);", "comment on table app.notes is 'N';"]),
}
"""One message holds the first, the second the four after it, the third all the rest."""


def boundaries(chain: Chain) -> list[tuple[str, int]]:
    """Before each statement of each file, and after its last."""
    return [
        (name, number) for name, (_, statements) in chain.items() for number in range(len(statements) + 1)
    ]


ANY = {"any_boundary": boundaries(CHAIN), "any_boundary_in_a_message": boundaries(DEFINITIONS)[2:]}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `any_boundary…` is run for every one."""
    for name in ANY.keys() & set(metafunc.fixturenames):
        metafunc.parametrize(name, ANY[name], ids=[f"{file}-{number}" for file, number in ANY[name]])


def write_chain(folder: Path, barrier: tuple[str, int] | None = None, chain: Chain = CHAIN) -> Path:
    """The chain as a project, with a barrier at one boundary."""
    (folder / "migrations").mkdir(parents=True)
    for name, (options, statements) in chain.items():
        lines = list(statements)
        if barrier and barrier[0] == name:
            lines.insert(barrier[1], DEFINING_BARRIER if chain is DEFINITIONS else BARRIER)
        text = "\n".join(lines)
        (folder / "migrations" / f"{name}.sql").write_text(
            f"-- {name}\n-- migrate:up{options}\n{text}\n-- migrate:down irreversible: a test\n"
        )
    return folder


def holdings(dsn: str) -> list[tuple[object, ...]]:
    """Everything the chain makes: columns, indexes, constraints, rows, and what the ledger says is
    applied."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        found: list[tuple[object, ...]] = []
        for question in (
            "select attrelid::regclass::text, attname, atttypid::regtype::text from pg_attribute join "
            "pg_class on "
            "pg_class.oid = attrelid where relnamespace = 'app'::regnamespace and attnum > 0 order by 1, "
            "attnum",
            "select indexrelid::regclass::text, indisvalid, indisready, pg_get_indexdef(indexrelid) from "
            "pg_index "
            "join pg_class on pg_class.oid = indexrelid where relnamespace = 'app'::regnamespace order by 1",
            "select conname, pg_get_constraintdef(oid) from pg_constraint "
            "where connamespace = 'app'::regnamespace order by 1",
            "select * from app.accounts order by id",
            "select * from app.notes order by id",
            "select version, name from aigym_db.applied order by version",
        ):
            found.extend(connection.execute(question).fetchall())
        return found


@dataclass
class Process:
    """A migrating process and the test's own view of the database."""

    dsn: str
    popen: subprocess.Popen[str]

    @property
    def output(self) -> str:
        return self.popen.communicate(timeout=60)[0]

    def kill(self) -> None:
        self.popen.kill()
        self.popen.communicate()


Spawn = Callable[[str, Path], Process]


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Starts a migrating process; what is left of it is killed after the test."""
    started: list[subprocess.Popen[str]] = []

    def spawned(dsn: str, folder: Path) -> Process:
        popen = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("runner.py")), dsn, str(folder)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONWARNINGS": "error"},
        )
        started.append(popen)
        return Process(dsn, popen)

    yield spawned
    for popen in started:
        if popen.poll() is None:
            popen.kill()
            popen.communicate()


def _undisturbed(server: Throwaway, folder: Path, chain: Chain) -> list[tuple[object, ...]]:
    dsn = create_database(server)
    migrate(dsn, migrations(Project(write_chain(folder / "project", chain=chain))))
    found = holdings(dsn)
    drop_database(server, dsn.partition("?")[0].rpartition("/")[2])
    return found


@pytest.fixture(scope="module")
def undisturbed(server: Throwaway, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    """What the chain makes when nothing goes wrong."""
    return _undisturbed(server, tmp_path_factory.mktemp("chain"), CHAIN)


@pytest.fixture(scope="module")
def undisturbed_definitions(
    server: Throwaway, tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[object, ...]]:
    """What the chain that only defines things makes when nothing goes wrong."""
    return _undisturbed(server, tmp_path_factory.mktemp("chain"), DEFINITIONS)


@dataclass
class Stage:
    """One process at one boundary of the chain, on a database of its own."""

    dsn: str
    folder: Path
    process: Process
    gate: psycopg.Connection[Any]

    def wait_for_barrier(self) -> int:
        """The backend of the runner, once it waits at the barrier."""
        waiting = "select pid from pg_locks where locktype = 'advisory' and objid = 777 and not granted"
        return int(self.wait_for(waiting)[0])

    def wait_for(self, question: str, *, answered: bool = True, limit_s: float = 20.0) -> tuple[Any, ...]:
        """The first row of an answer, once there is one; or, not `answered`, an empty one once there is
        none."""
        until = time.monotonic() + limit_s
        while (row := self.gate.execute(question).fetchone()) is None or not answered:
            if row is None and not answered:
                return ()
            assert time.monotonic() < until, f"never: {question}"
            time.sleep(0.01)
        return row

    def wait_for_end_of(self, pid: int, limit_s: float = 20.0) -> None:
        """Returns once the server has ended a session."""
        self.wait_for(f"select pid from pg_stat_activity where pid = {pid}", answered=False, limit_s=limit_s)

    def open_barrier(self) -> None:
        if not self.gate.closed:
            self.gate.execute("select pg_advisory_unlock(777)")

    def run_again(self) -> list[tuple[object, ...]]:
        """Migrates to the end, with nothing in the way, and says what there is then."""
        self.open_barrier()
        migrate(self.dsn, migrations(Project(self.folder)))
        return holdings(self.dsn)


@pytest.fixture
def stage_on(spawn: Spawn, tmp_path: Path) -> Callable[..., AbstractContextManager[Stage]]:
    """Starts the chain on a database, with a barrier at a boundary that is shut from then on."""

    @contextmanager
    def staged(dsn: str, boundary: tuple[str, int], chain: Chain = CHAIN) -> Iterator[Stage]:
        folder = write_chain(tmp_path / "project", boundary, chain)
        with closing(psycopg.connect(dsn, autocommit=True, application_name="gate")) as gate:
            gate.execute("select pg_advisory_lock(777)")
            yield Stage(dsn, folder, spawn(dsn, folder), gate)

    return staged


@pytest.fixture
def stage(
    database: str, stage_on: Callable[..., AbstractContextManager[Stage]]
) -> Iterator[Callable[..., Stage]]:
    """The same on a fresh database, until the end of the test."""
    with ExitStack() as stack:
        yield lambda *boundary: stack.enter_context(stage_on(database, *boundary))


@pytest.fixture
def stage_of_definitions(stage: Callable[..., Stage]) -> Callable[[tuple[str, int]], Stage]:
    """The same with the chain that only defines things."""
    return lambda boundary: stage(boundary, DEFINITIONS)
