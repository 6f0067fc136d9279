"""The catalog snapshot contains every change, and is equal if nothing changed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from aigym_db.database.catalog import fingerprint, snapshot
from aigym_db.database.servers.server import Server
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.model.catalog import Catalog, Key

FOLDER = Path(__file__).parent / "catalog"
BASE = (FOLDER / "base.sql").read_text()
ROLES = ("catalog_owner", "catalog_reader", "catalog_writer", "catalog_login")

CHANGES = tomllib.loads((FOLDER / "changes.toml").read_text())
SAME = tomllib.loads((FOLDER / "no_changes.toml").read_text())
ON_16 = dict(list(CHANGES.items())[::5])


@pytest.fixture(scope="module")
def shop(server: Server) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a database with objects of every kind."""
    with filled(server) as connection:
        yield connection


@pytest.fixture(scope="module")
def shop_on_16() -> Iterator[psycopg.Connection[Any]]:
    """The same on PostgreSQL 16."""
    with throwaway("embedded:16") as older, filled(older) as connection:
        yield connection


@contextmanager
def filled(server: Server) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("create database catalog_shop")
        try:
            with psycopg.connect(server.dsn("catalog_shop"), autocommit=True) as connection:
                connection.execute(BASE.encode())
                yield connection
        finally:
            admin.execute("drop database catalog_shop with (force)")
            admin.execute(f"drop role if exists {', '.join(ROLES)}".encode())


def take_snapshot(connection: psycopg.Connection[Any]) -> Catalog:
    return snapshot(connection, partition_schema="parts")


def differences(connection: psycopg.Connection[Any], change: str) -> set[str]:
    """Return the differences between two snapshots, before and after a change that is then rolled back."""
    before = take_snapshot(connection)
    with connection.transaction(force_rollback=True):
        connection.execute(change.encode())
        after = take_snapshot(connection)
    return {
        str(difference.key) if difference.fact is None else f"{difference.key}: {difference.fact}"
        for difference in before.difference(after)
    }


@pytest.mark.parametrize("case", CHANGES.values(), ids=CHANGES.keys())
def test_a_single_change_is_the_only_difference(shop: psycopg.Connection[Any], case: dict[str, Any]) -> None:
    assert differences(shop, case["change"]) == set(case["differences"])


@pytest.mark.parametrize("case", ON_16.values(), ids=ON_16.keys())
def test_a_single_change_is_the_only_difference_on_16(
    shop_on_16: psycopg.Connection[Any], case: dict[str, Any]
) -> None:
    assert differences(shop_on_16, case["change"]) == set(case["differences"])


@pytest.mark.parametrize("case", SAME.values(), ids=SAME.keys())
def test_a_statement_without_effect_is_no_difference(
    shop: psycopg.Connection[Any], case: dict[str, Any]
) -> None:
    assert differences(shop, case["change"]) == set()


def test_snapshots_of_different_server_versions_are_equal(
    shop: psycopg.Connection[Any], shop_on_16: psycopg.Connection[Any]
) -> None:
    assert take_snapshot(shop_on_16).difference(take_snapshot(shop)) == ()


def test_a_snapshot_does_not_change_the_session(shop: psycopg.Connection[Any]) -> None:
    shop.execute("set search_path = shop, public")

    take_snapshot(shop)

    assert shop.execute("show search_path").fetchone() == ("shop, public",)
    assert shop.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_fingerprints_are_equal_if_and_only_if_the_facts_are(shop: psycopg.Connection[Any]) -> None:
    first, second = fingerprint(take_snapshot(shop)), fingerprint(take_snapshot(shop))
    with shop.transaction(force_rollback=True):
        shop.execute("alter table shop.orders no force row level security")
        third = fingerprint(take_snapshot(shop))

    assert first == second
    assert first != third


def test_partitions_are_separate_objects_unless_their_schema_is_specified(
    shop: psycopg.Connection[Any],
) -> None:
    facts = snapshot(shop).facts

    assert facts[Key("table", "parts.events_2025")]["inherits"] == "shop.events"
    assert "partitions" not in facts[Key("table", "shop.events")]


def test_a_table_that_the_command_partitions_has_detached_is_not_part_of_the_description(
    shop: psycopg.Connection[Any],
) -> None:
    with shop.transaction(force_rollback=True):
        before = take_snapshot(shop)
        shop.execute(
            "create table parts.events_2019 (like parts.events_2025 including all);"
            "alter table parts.events_2019 enable row level security"
        )
        unmarked = take_snapshot(shop)
        shop.execute(
            "comment on table parts.events_2019 is 'aigym-db: detached at 2026-11-30T12:00:00+00:00'"
        )

        assert Key("table", "parts.events_2019") in unmarked.facts
        assert take_snapshot(shop) == before
        shop.execute("create table shop.marked (); comment on table shop.marked is 'aigym-db: detached at'")
        assert Key("table", "shop.marked") in take_snapshot(shop).facts


def test_a_role_without_privileges_reads_the_same_snapshot(
    server: Server, shop: psycopg.Connection[Any]
) -> None:
    with psycopg.connect(server.dsn("catalog_shop", user="catalog_login"), autocommit=True) as plain:
        assert take_snapshot(plain) == take_snapshot(shop)


def test_no_password_is_a_fact(shop: psycopg.Connection[Any]) -> None:
    assert "hidden" not in str(take_snapshot(shop).facts)


def test_a_snapshot_of_all_roles_is_optional(shop: psycopg.Connection[Any]) -> None:
    with shop.transaction(force_rollback=True):
        shop.execute("create role catalog_unused bypassrls")
        few, all_of_them = take_snapshot(shop), snapshot(shop, all_roles=True)

    assert "catalog_unused" not in {key.name for key in few.facts}
    assert "catalog_unused" in {key.name for key in all_of_them.facts}
