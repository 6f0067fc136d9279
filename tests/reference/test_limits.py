"""Every text and JSON column that people can write has a limit; every index states its query."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from aigym_db.project.order import state_sql
from tests.reference.conftest import PROJECT, ReferenceDatabase

Connection = psycopg.Connection[tuple[object, ...]]

WRITABLE = """
select
  format('%%I.%%I.%%I', n.nspname, c.relname, a.attname),
  coalesce(nullif(t.typbasetype, 0), t.oid)::regtype::text
from pg_catalog.pg_attribute as a
join pg_catalog.pg_class as c on c.oid = a.attrelid and c.relkind in ('r', 'p') and not c.relispartition
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
join pg_catalog.pg_type as t on t.oid = a.atttypid
where a.attnum > 0
  and not a.attisdropped
  and n.nspname = any (%(schemas)s)
  and a.attgenerated = ''
  and coalesce(nullif(t.typbasetype, 0), t.oid) in (
    'text'::regtype, 'varchar'::regtype, 'text[]'::regtype, 'jsonb'::regtype, 'json'::regtype
  )
  and (
    format('%%I.%%I.%%I', n.nspname, c.relname, a.attname) = any (%(written_by_functions)s)
    or has_schema_privilege('authenticated', n.oid, 'usage')
    and (
      has_column_privilege('authenticated', c.oid, a.attnum, 'insert')
      or has_column_privilege('authenticated', c.oid, a.attnum, 'update')
    )
  )
  -- The referenced column limits the value.
  and not exists (
    select
    from pg_catalog.pg_constraint as k
    where k.conrelid = c.oid
      and k.contype = 'f'
      and a.attnum = any (k.conkey)
  )
order by 1
"""

WRITTEN_BY_FUNCTIONS = [
    "ai.conversation_messages.content",
    "audit.security_contexts.reason",
    "iam.invitations.email",
    "iam.tenants.name",
    "iam.tenants.slug",
]
"""Columns without a privilege that functions write with a value of their caller."""

SCHEMAS = ["ai", "audit", "content", "core", "iam", "media", "ops", "platform", "privacy"]

WITHOUT_COMMENT = {"units_tenant_id_code_key", "permission_grants_role_id_permission_id_idx"}
"""Indexes whose templates lack the comment."""

FIVE_MEGABYTES = {
    "text": ["repeat('x', 5000000)"],
    "character varying": ["repeat('x', 5000000)"],
    "text[]": ["array[repeat('x', 5000000)]", "array_fill('x'::text, array[1000000])"],
    "jsonb": [
        "jsonb_build_object('x', repeat('x', 5000000))",
        "jsonb_build_array(repeat('x', 5000000))",
    ],
    "json": ["json_build_object('x', repeat('x', 5000000))"],
}


@pytest.fixture(scope="module")
def filled(base: ReferenceDatabase) -> Iterator[Connection]:
    """A superuser's connection to the database with the test rows; triggers are disabled."""
    with base.connection() as connection:
        connection.execute("set session_replication_role = replica")
        yield connection


def writable(connection: Connection) -> list[tuple[str, str]]:
    """Return the text and JSON columns that people can write, with their type without domains."""
    rows = connection.execute(
        WRITABLE.encode(), {"written_by_functions": WRITTEN_BY_FUNCTIONS, "schemas": SCHEMAS}
    ).fetchall()
    return [(str(column), str(type_)) for column, type_ in rows]


def accepted(connection: Connection, column: str, value: str) -> str:
    """Return what happens if all rows of a table get the value: empty if a CHECK constraint rejects it."""
    table, name = column.rsplit(".", 1)
    try:
        with connection.transaction(force_rollback=True):
            changed = connection.execute(f"update {table} set {name} = {value}".encode()).rowcount
    except psycopg.errors.CheckViolation:
        return ""
    except psycopg.Error as error:
        return f"{column}: {error.sqlstate} {error.diag.message_primary}"
    return f"{column}: {changed} rows accept {value}"


def test_every_text_and_json_column_that_people_can_write_has_a_limit(filled: Connection) -> None:
    columns = writable(filled)

    assert len(columns) > 60
    assert [
        message
        for column, type_ in columns
        for value in FIVE_MEGABYTES[type_]
        if (message := accepted(filled, column, value))
    ] == []


def test_every_json_column_that_people_can_write_is_an_object_or_a_list(filled: Connection) -> None:
    columns = [column for column, type_ in writable(filled) if type_ in ("json", "jsonb")]

    assert columns
    assert [message for column in columns if (message := accepted(filled, column, "'\"a text\"'"))] == []


def test_every_index_states_its_query() -> None:
    """The line before CREATE INDEX is a comment; the tables of auth are those of Supabase."""
    statements = re.findall(
        r"(?:^(--) .*\n)?^create (?:unique )?index (\w+)\s+on (\w+)\.", state_sql(PROJECT), re.MULTILINE
    )
    indexes = [(comment, index) for comment, index, schema in statements if schema in SCHEMAS]

    assert len(indexes) > 100
    assert {index for comment, index in indexes if not comment} == WITHOUT_COMMENT
