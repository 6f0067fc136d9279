"""AI GYM, the reference database: migrations, state, lint and seed sets, on servers of several versions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from aigym_db.database.connect import connect
from aigym_db.database.replay import replayed
from aigym_db.database.servers.binaries import available
from aigym_db.database.servers.server import TEMPLATE
from aigym_db.errors import ProductionGuard
from aigym_db.lint.engine import lint_project
from aigym_db.project.cards import cards
from aigym_db.project.config import find
from aigym_db.project.lock_file import frozen
from aigym_db.project.migrations import migrations
from aigym_db.project.order import ordered, state_sql
from aigym_db.seeds.load import load
from aigym_db.seeds.plan import seed_files, seed_sets
from aigym_db.verify.verify import verify

PROJECT = find(Path(__file__).parents[2])


@pytest.mark.parametrize("server", ["embedded:18", "embedded:16", "system:15"])
def test_migrations_produce_the_state_and_every_migration_can_be_rolled_back(server: str) -> None:
    if server not in available():
        pytest.skip(f"{server} is not installed")

    report = verify(replace(PROJECT, server=server))

    assert [finding.message for finding in report.findings] == []
    assert {"state-is-history", "round-trip", "non-superuser-owner"} <= set(report.ran)


def test_every_migration_is_frozen() -> None:
    files = migrations(PROJECT)

    assert frozen(PROJECT, files) == {migration.version for migration in files}


def test_lint_has_no_errors_or_warnings() -> None:
    findings = lint_project(migrations(PROJECT), ordered(PROJECT))

    assert [finding.message for finding in findings if finding.level != "note"] == []


def test_rendering_is_deterministic() -> None:
    assert state_sql(PROJECT) == state_sql(PROJECT)


def test_tables_of_every_domain_exist() -> None:
    assert {
        "iam.profiles",
        "iam.tenants",
        "iam.memberships",
        "iam.user_roles",
        "audit.audit_log",
        "ops.partition_strategies",
        "content.ai_agents",
        "content.videos",
        "content.documents",
        "content.prompts",
        "content.automations",
        "ai.conversations",
        "ai.conversation_messages",
    } <= set(cards(PROJECT))


@pytest.fixture
def built() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A superuser's connection to the migrated database, on a temporary server."""
    with (
        replayed(
            "embedded", tuple(migration.up for migration in migrations(PROJECT)), PROJECT.session
        ) as server,
        closing(connect(server.dsn(TEMPLATE), autocommit=True)) as connection,
    ):
        yield connection


def test_loading_the_development_rows_again_writes_nothing(
    built: psycopg.Connection[tuple[object, ...]],
) -> None:
    sets = ("reference", "development")

    first = [load(built, name, seed_files(PROJECT, name), PROJECT.owner) for name in sets]
    second = [load(built, name, seed_files(PROJECT, name), PROJECT.owner) for name in sets]

    assert sum(file.rows_written for loaded in first for file in loaded) > 300
    assert sum(file.rows_written for loaded in second for file in loaded) == 0


def test_only_reference_rows_can_be_loaded_into_a_production_database(
    built: psycopg.Connection[tuple[object, ...]],
) -> None:
    built.execute("alter database template set aigym.environment = 'production'")
    with closing(connect(built.info.dsn, autocommit=True)) as connection:
        load(connection, "reference", seed_files(PROJECT, "reference"), PROJECT.owner)
        with pytest.raises(ProductionGuard, match="production"):
            load(connection, "development", seed_files(PROJECT, "development"), PROJECT.owner)
        count = connection.execute("select count(*) from iam.profiles").fetchone()

    assert count == (0,)


def test_the_development_rows_cover_all_five_repositories_and_every_tier(
    built: psycopg.Connection[tuple[object, ...]],
) -> None:
    for name in ("reference", "development"):
        load(built, name, seed_files(PROJECT, name), PROJECT.owner)

    repositories = built.execute("select count(distinct content_type) from content.items").fetchone()
    tiers = built.execute(
        "select count(distinct tier) from iam.user_roles join iam.roles on roles.id = user_roles.role_id"
    ).fetchone()
    communities = built.execute("select count(*) >= 2 from iam.communities").fetchone()
    messages = built.execute("select count(*) > 0 from ai.conversation_messages").fetchone()

    assert (repositories, tiers, communities, messages) == ((5,), (3,), (True,), (True,))


def test_the_seed_sets_of_the_documentation_exist() -> None:
    assert seed_sets(PROJECT) == ("development", "reference", "test")
