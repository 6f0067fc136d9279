"""The catalog of the reference database is that of the cards and the tables; no role of the API writes it."""

from __future__ import annotations

import psycopg
import pytest

from aigym_db.access.actors import read_actors
from aigym_db.access.test_database import connect_as
from aigym_db.project.cards import cards
from tests.reference.conftest import PROJECT, ReferenceDatabase

VIEWS = (
    "core.data_catalog",
    "core.column_catalog",
    "core.integrity_rules",
    "audit.audit_policies",
    "audit.audit_triggers",
    "audit.row_level_policies",
    "privacy.data_lifecycle_policies",
)
MATERIAL_OF_PEOPLE = (
    r"(^|_)(email|phone|full_name|first_name|last_name|birth\w*"
    r"|user_agent|ip_address|password|secret|token)(_|$)"
)
"""Names of columns that contain data of people or secrets."""


def test_the_catalog_has_one_row_for_each_card_and_each_table(connection: psycopg.Connection) -> None:
    catalog = [
        name
        for (name,) in connection.execute("select schema_name || '.' || table_name from core.data_catalog")
    ]
    tables = connection.execute(
        """
        select n.nspname || '.' || c.relname
        from pg_class as c
        join pg_namespace as n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p')
          and not c.relispartition
          and n.nspname in (select schema_name from core.data_catalog)
        """
    ).fetchall()

    assert sorted(catalog) == sorted(cards(PROJECT))
    assert sorted(catalog) == sorted(name for (name,) in tables)


def test_the_rows_of_the_catalog_are_the_values_of_the_cards(connection: psycopg.Connection) -> None:
    rows = connection.execute(
        """
        select
          schema_name || '.' || table_name, purpose, tenancy, owner_column, tenant_column, parent_table,
          mfa_level, legal_basis, coalesce(retention_days::text, kept_with), audit_mode, expected_rows
        from core.data_catalog
        """
    ).fetchall()

    assert {row[0]: row[1:] for row in rows} == {
        name: (
            *(card.purpose, card.tenancy, card.owner_column, card.tenant_column, card.parent, card.mfa),
            *(card.legal_basis, card.retention, card.audit, card.expected_rows),
        )
        for name, card in cards(PROJECT).items()
    }


def test_the_classes_of_columns_are_those_of_the_cards(connection: psycopg.Connection) -> None:
    rows = connection.execute(
        "select schema_name || '.' || table_name, column_name, data_class, erasure, is_in_audit "
        "from core.column_catalog"
    ).fetchall()
    classes = {(table, column): (data_class, erasure) for table, column, data_class, erasure, _ in rows}

    assert len(classes) == len(rows)
    assert {
        (name, column): classes.get((name, column))
        for name, card in cards(PROJECT).items()
        for column in card.personal
    } == {
        (name, column): (values.data_class, values.erasure)
        for name, card in cards(PROJECT).items()
        for column, values in card.personal.items()
    }
    assert [row for row in rows if row[4] and row[1] in cards(PROJECT)[row[0]].personal] == []


def test_every_column_with_data_of_people_is_classified(connection: psycopg.Connection) -> None:
    rows = connection.execute(
        """
        select schema_name || '.' || table_name || '.' || column_name
        from core.column_catalog
        where data_class = 'internal'
          and (column_name ~ %s and data_type in ('text', 'bytea') or data_type = 'inet')
        """,
        [MATERIAL_OF_PEOPLE],
    ).fetchall()

    assert rows == []


def test_every_audited_card_has_the_trigger(connection: psycopg.Connection) -> None:
    rows = connection.execute(
        """
        select schema_name, table_name, audit_mode
        from audit.audit_policies
        where (audit_mode <> 'none') <> (is_audited and is_enabled)
        """
    ).fetchall()

    assert rows == []


def test_every_function_in_plpgsql_sets_an_empty_search_path(connection: psycopg.Connection) -> None:
    functions = connection.execute(
        """
        select p.oid::regprocedure::text
        from pg_proc as p
        join pg_language as l on l.oid = p.prolang
        where l.lanname = 'plpgsql'
          and p.pronamespace::regnamespace::text !~ '^pg_'
          and 'search_path=""' <> all (coalesce(p.proconfig, '{}'))
        """
    ).fetchall()

    assert functions == []


def test_an_extension_is_available_if_it_is_installed_or_can_be(connection: psycopg.Connection) -> None:
    def names(text: str) -> set[str]:
        return {name for (name,) in connection.execute(text.encode())}

    extension = (
        "select split_part(capability, ' ', 2) from core.capabilities() where capability ~ '^extension'"
    )
    offered = names("select name from pg_available_extensions")
    missing = min(names(extension) - offered, default="plpgsql")
    connection.execute("update pg_extension set extname = %s where extname = 'plpgsql'", [missing])

    assert names(f"{extension} and available") == names(extension) & (offered | {missing})


def test_icu_is_available_if_the_database_has_a_collation_of_it(connection: psycopg.Connection) -> None:
    icu = "select available from core.capabilities() where capability = 'icu'"
    collations = "select count(*) > 0 from pg_collation where collprovider = 'i'"
    assert connection.execute(icu).fetchone() == connection.execute(collations).fetchone()

    connection.execute("delete from pg_collation where collprovider = 'i'")

    assert connection.execute(icu).fetchone() == (False,)


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_of_the_catalog_has_rows_for_its_readers_only(base: ReferenceDatabase, view: str) -> None:
    actors = read_actors(PROJECT.root)
    readers = set()
    with base.database() as dsn:
        for actor in actors.actors.values():
            with connect_as(dsn, actor) as session:
                try:
                    if session.execute(f"select from {view} limit 1").fetchall():
                        readers.add(actor.name)
                except psycopg.errors.InsufficientPrivilege:
                    continue

    outside = set() if view.startswith("privacy.") else {"external_auditor"}
    assert (
        readers
        == {*actors.groups["strong_super_admins"], *actors.groups["auditors"], "service_role"} | outside
    )


def test_no_role_but_the_owner_writes_the_catalog_a_log_or_a_partition_strategy(
    connection: psycopg.Connection,
) -> None:
    rows = connection.execute(
        """
        select c.oid::regclass::text, r.rolname
        from pg_class as c
        join pg_namespace as n on n.oid = c.relnamespace
        cross join pg_roles as r
        where c.relkind in ('r', 'p', 'v')
          and n.nspname in ('core', 'audit', 'ops', 'privacy')
          and not r.rolsuper
          and r.rolname !~ '^pg_'
          and r.rolname not in ('aigym_owner', 'aigym_migrator')
          and (
            has_table_privilege(r.oid, c.oid, 'insert, update, delete, truncate')
            or has_any_column_privilege(r.oid, c.oid, 'insert, update')
          )
        """
    ).fetchall()

    assert rows == []
