"""Columns that the server sets: no role of the API writes them."""

from __future__ import annotations

import psycopg
import pytest
from jinja2 import Environment
from jinja2.runtime import Macro

from tests.reference.conftest import PROJECT

PEOPLE = ["anon", "authenticated"]
"""The roles of the API that act for people; the service role writes every column."""

MACROS = Environment().from_string((PROJECT.root / "schema/_macros/columns.sql.j2").read_text()).module
SERVER_SET = [
    column.split()[0]
    for macro in vars(MACROS).values()
    if isinstance(macro, Macro)
    for column in macro().split(",\n")
]
"""The columns of the macros in schema/_macros/columns.sql.j2, such as `created_by`."""

Connection = psycopg.Connection[tuple[object, ...]]


@pytest.mark.parametrize("role", PEOPLE)
def test_no_role_of_the_api_writes_a_column_that_the_server_sets(connection: Connection, role: str) -> None:
    writable = connection.execute(
        """
        select format('%%s.%%I %%s', a.attrelid::regclass, a.attname, command)
        from pg_catalog.pg_attribute as a
        join pg_catalog.pg_class as c on c.oid = a.attrelid
        join pg_catalog.pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
        cross join unnest(array['insert', 'update']) as command
        where c.relkind in ('r', 'p')
          and a.attname = 'id'
          and has_column_privilege(%(role)s, a.attrelid, a.attnum, command)
        union all
        select format('%%s.%%I %%s', a.attrelid::regclass, a.attname, command)
        from pg_catalog.pg_attribute as a
        join pg_catalog.pg_class as c on c.oid = a.attrelid
        cross join unnest(array['insert', 'update']) as command
        where c.relkind in ('r', 'p')
          and (a.attname = any (%(names)s) or a.attgenerated <> '')
          and has_column_privilege(%(role)s, a.attrelid, a.attnum, command)
        order by 1
        """,
        {"role": role, "names": SERVER_SET},
    ).fetchall()

    assert writable == []


@pytest.mark.parametrize("role", PEOPLE)
def test_no_role_of_the_api_has_insert_or_update_of_a_whole_table(connection: Connection, role: str) -> None:
    """A privilege on the table includes the columns that are added later."""
    writable = connection.execute(
        """
        select format('%%s %%s', c.oid::regclass, command)
        from pg_catalog.pg_class as c
        cross join unnest(array['insert', 'update']) as command
        where c.relkind in ('r', 'p', 'v', 'm')
          and c.relnamespace <> 'pg_catalog'::regnamespace
          and has_table_privilege(%s, c.oid, command)
        order by 1
        """,
        [role],
    ).fetchall()

    assert writable == []
