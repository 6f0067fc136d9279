"""The catalog snapshot sees every single change, and nothing where nothing changed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from aigym_db.database.catalog import fingerprint, snapshot
from aigym_db.database.servers import Server, throwaway
from aigym_db.model.catalog import Catalog, Key

FOLDER = Path(__file__).parent / "catalog"
BASE = (FOLDER / "base.sql").read_text()
ROLES = ("catalog_owner", "catalog_reader", "catalog_writer", "catalog_login")

CHANGES = tomllib.loads((FOLDER / "changes.toml").read_text())
SAME = tomllib.loads((FOLDER / "no_changes.toml").read_text())
ON_16 = dict(list(CHANGES.items())[::5])


@pytest.fixture(scope="module")
def shop(server: Server) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a database that holds some of everything."""
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


def look(connection: psycopg.Connection[Any]) -> Catalog:
    return snapshot(connection, partition_schema="parts")


def seen(connection: psycopg.Connection[Any], change: str) -> set[str]:
    """What the snapshot says has changed, after which the change is taken back."""
    before = look(connection)
    with connection.transaction(force_rollback=True):
        connection.execute(change.encode())
        after = look(connection)
    return {
        str(found.key) if found.fact is None else f"{found.key}: {found.fact}"
        for found in before.difference(after)
    }


@pytest.mark.parametrize("case", CHANGES.values(), ids=CHANGES.keys())
def test_a_single_change_is_seen_and_nothing_else(
    shop: psycopg.Connection[Any], case: dict[str, Any]
) -> None:
    assert seen(shop, case["change"]) == set(case["seen"])


@pytest.mark.parametrize("case", ON_16.values(), ids=ON_16.keys())
def test_a_single_change_is_seen_on_16_too(shop_on_16: psycopg.Connection[Any], case: dict[str, Any]) -> None:
    assert seen(shop_on_16, case["change"]) == set(case["seen"])


@pytest.mark.parametrize("case", SAME.values(), ids=SAME.keys())
def test_what_is_no_change_is_no_difference(shop: psycopg.Connection[Any], case: dict[str, Any]) -> None:
    assert seen(shop, case["change"]) == set()


def test_versions_of_the_server_do_not_differ(
    shop: psycopg.Connection[Any], shop_on_16: psycopg.Connection[Any]
) -> None:
    assert look(shop_on_16).difference(look(shop)) == ()


def test_a_snapshot_leaves_the_session_as_it_was(shop: psycopg.Connection[Any]) -> None:
    shop.execute("set search_path = shop, public")

    look(shop)

    assert shop.execute("show search_path").fetchone() == ("shop, public",)
    assert shop.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_the_fingerprint_is_the_same_exactly_when_the_facts_are(shop: psycopg.Connection[Any]) -> None:
    first, second = fingerprint(look(shop)), fingerprint(look(shop))
    with shop.transaction(force_rollback=True):
        shop.execute("alter table shop.orders no force row level security")
        third = fingerprint(look(shop))

    assert first == second
    assert first != third


def test_partitions_are_objects_of_their_own_unless_their_schema_is_named(
    shop: psycopg.Connection[Any],
) -> None:
    found = snapshot(shop).facts

    assert found[Key("table", "parts.events_2025")]["inherits"] == "shop.events"
    assert "partitions" not in found[Key("table", "shop.events")]


def test_a_role_without_rights_sees_the_same(server: Server, shop: psycopg.Connection[Any]) -> None:
    with psycopg.connect(server.dsn("catalog_shop", user="catalog_login"), autocommit=True) as plain:
        assert look(plain) == look(shop)


def test_no_password_is_a_fact(shop: psycopg.Connection[Any]) -> None:
    assert "hidden" not in str(look(shop).facts)


def test_all_roles_are_seen_on_request(shop: psycopg.Connection[Any]) -> None:
    with shop.transaction(force_rollback=True):
        shop.execute("create role catalog_nobody bypassrls")
        few, all_of_them = look(shop), snapshot(shop, all_roles=True)

    assert "catalog_nobody" not in {key.name for key in few.facts}
    assert "catalog_nobody" in {key.name for key in all_of_them.facts}
