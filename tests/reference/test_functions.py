"""Functions that policies call."""

from __future__ import annotations

import psycopg

Connection = psycopg.Connection[tuple[object, ...]]


def test_a_function_that_policies_call_keeps_its_plans(connection: Connection) -> None:
    """Before PostgreSQL 18, an SQL function with its owner's rights is planned for each statement."""
    planned_again = connection.execute(
        """
        select p.oid::regprocedure
        from pg_catalog.pg_proc as p
        join pg_catalog.pg_language as l on l.oid = p.prolang
        where l.lanname = 'sql' and p.prosecdef and p.proowner = 'aigym_authz'::regrole
        order by 1
        """
    ).fetchall()

    assert planned_again == []
