"""lint, migrate and PostgreSQL agree on the statements that are rejected inside a transaction block."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest

from aigym_db.database.servers.databases import temporary_database
from aigym_db.database.servers.server import Throwaway
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.errors import ForbiddenStatement
from aigym_db.lint.engine import lint_text
from aigym_db.migrate.preflight import steps
from aigym_db.model.source import Source
from aigym_db.project.migrations import parse

SETUP = """
    create table public.t (id integer primary key);
    create index t_idx on public.t (id);
    create table public.p (id integer) partition by list (id);
    create table public.q partition of public.p for values in (1);
    create subscription tested_subscription connection 'host=/nowhere' publication p
        with (connect = false, slot_name = 'none_there');
"""
REJECTED = [
    "create index concurrently i on public.t (id)",
    "create unique index concurrently if not exists i on public.t (id)",
    "drop index concurrently public.t_idx",
    "reindex index concurrently public.t_idx",
    "reindex (verbose, concurrently) table public.t",
    "reindex (concurrently on) table public.t",
    "reindex schema public",
    "reindex system postgres",
    "reindex schema concurrently public",
    "vacuum",
    "vacuum public.t",
    "vacuum (full, analyze) public.t",
    "cluster",
    "create database tested_database",
    "drop database if exists tested_database",
    "alter database postgres set tablespace pg_default",
    "create tablespace tested_space location '/nowhere'",
    "drop tablespace if exists tested_space",
    "alter system set work_mem = '1MB'",
    "alter system reset all",
    "alter table public.p detach partition public.q concurrently",
    "create subscription s connection 'host=/nowhere' publication p",
    "create subscription s connection 'host=/nowhere' publication p with (enabled = false)",
    "alter subscription tested_subscription refresh publication",
    "alter subscription tested_subscription refresh publication with (copy_data = false)",
    "alter subscription tested_subscription set publication p",
    "alter subscription tested_subscription add publication r",
    "alter subscription tested_subscription set publication p with (refresh = true)",
    "discard all",
    "commit prepared 'nothing'",
    "rollback prepared 'nothing'",
]
ACCEPTED = [
    "create index i on public.t (id)",
    "drop index public.t_idx",
    "reindex table public.t",
    "reindex (concurrently off) table public.t",
    "analyze public.t",
    "cluster public.t using t_idx",
    "alter database postgres connection limit 10",
    "alter table public.p detach partition public.q",
    "create subscription s connection 'host=/nowhere' publication p with (connect = false, slot_name = 's')",
    "create subscription s connection 'host=/nowhere' publication p with (connect = off, slot_name = none)",
    "alter subscription tested_subscription set publication p with (refresh = false)",
    "alter subscription tested_subscription connection 'host=/elsewhere'",
    "alter subscription tested_subscription set (synchronous_commit = off)",
    "checkpoint",
]
PROPERTIES = [
    ("alter subscription tested_subscription set (failover = false)", 17),
    ("alter subscription tested_subscription set (two_phase = false)", 18),
]


@pytest.fixture(scope="module", params=os.environ.get("AIGYM_DB_TEST_SERVERS", "embedded").split())
def any_server(request: pytest.FixtureRequest) -> Iterator[Throwaway]:
    """Each server of the test matrix."""
    with throwaway(request.param) as running:
        yield running


@pytest.fixture
def connection(any_server: Throwaway) -> Iterator[psycopg.Connection]:
    with (
        temporary_database(any_server) as database,
        psycopg.connect(database.dsn, autocommit=True) as connection,
    ):
        connection.execute(SETUP)
        yield connection
        connection.execute("alter subscription tested_subscription disable")
        connection.execute("alter subscription tested_subscription set (slot_name = none)")
        connection.execute("drop subscription tested_subscription")


def server_rejects(connection: psycopg.Connection, statement: str) -> bool:
    """Execute the statement inside BEGIN and roll back; other errors fail the test."""
    if "publication" in statement and statement.startswith("alter subscription"):
        connection.execute("alter subscription tested_subscription enable")
    try:
        connection.execute("begin")
        connection.execute(statement)
    except psycopg.errors.ActiveSqlTransaction:
        return True
    finally:
        connection.execute("rollback")
    return False


def migrate_rejects(statement: str) -> bool:
    text = f"-- migrate:up\n{statement};\n-- migrate:down irreversible: a test\n"
    try:
        steps(parse(Source("migrations/0001_x.sql", text), 1, "x").up)
    except ForbiddenStatement:
        return True
    return False


def lint_rejects(statement: str) -> bool:
    text = f"-- migrate:up\n{statement};\n-- migrate:down irreversible: a test\n"
    return any(
        finding.rule in ("concurrently-in-transaction", "transaction-control")
        for finding in lint_text(text, "migrations/0001_x.sql")
    )


@pytest.mark.parametrize("statement", REJECTED)
def test_a_statement_that_the_server_rejects_in_a_block_is_rejected_by_lint_and_migrate(
    connection: psycopg.Connection, statement: str
) -> None:
    assert server_rejects(connection, statement)
    assert migrate_rejects(statement)
    assert lint_rejects(statement)


@pytest.mark.parametrize("statement", ACCEPTED)
def test_a_statement_that_the_server_accepts_in_a_block_is_accepted_by_lint_and_migrate(
    connection: psycopg.Connection, statement: str
) -> None:
    assert not server_rejects(connection, statement)
    assert not migrate_rejects(statement)
    assert not lint_rejects(statement)


@pytest.mark.parametrize(("statement", "since"), PROPERTIES)
def test_properties_of_a_replication_slot_are_not_changed_in_a_block(
    connection: psycopg.Connection, statement: str, since: int
) -> None:
    if connection.info.server_version // 10_000 >= since:
        assert server_rejects(connection, statement)
    assert migrate_rejects(statement)
    assert lint_rejects(statement)


def test_lint_and_migrate_word_the_rejection_alike() -> None:
    text = "-- migrate:up\nvacuum;\n-- migrate:down irreversible: a test\n"

    with pytest.raises(ForbiddenStatement) as caught:
        steps(parse(Source("migrations/0001_x.sql", text), 1, "x").up)
    (finding,) = lint_text(text, "migrations/0001_x.sql")

    assert caught.value.message == finding.message == "VACUUM cannot run inside a transaction block."
