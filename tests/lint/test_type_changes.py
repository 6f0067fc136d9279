"""The cost of type changes compared with the server: a rewrite gives the table a new file."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from pglast import parse_sql

from aigym_db.lint.types import Type, cost, type_of

CHANGES = [
    ("varchar(20)", "varchar(40)"),
    ("varchar(20)", "varchar"),
    ("varchar(20)", "varchar(10)"),
    ("varchar(20)", "text"),
    ("varchar", "text"),
    ("text", "varchar"),
    ("text", "varchar(20)"),
    ("char(5)", "char(9)"),
    ("char(5)", "text"),
    ("numeric(8,2)", "numeric(12,2)"),
    ("numeric(8,2)", "numeric"),
    ("numeric(8,2)", "numeric(12,3)"),
    ("numeric(8,2)", "numeric(6,2)"),
    ("numeric", "numeric(8,2)"),
    ("cidr", "inet"),
    ("interval(2)", "interval(4)"),
    ("interval", "interval(2)"),
    ("interval(2)", "interval"),
    ("bit varying(8)", "bit varying(16)"),
    ("bit varying(8)", "bit varying"),
    ("bit(4)", "bit(8)"),
    ("timestamp(2)", "timestamp(4)"),
    ("timestamp(4)", "timestamp(2)"),
    ("timestamp(2)", "timestamp"),
    ("timestamp", "timestamp(6)"),
    ("time(1)", "time(3)"),
    ("timestamp", "timestamptz"),
    ("timestamptz", "timestamp"),
    ("timestamp(2)", "timestamptz"),
    ("int", "bigint"),
    ("int", "numeric"),
    ("int", "text"),
    ("int", "oid"),
    ("oid", "regclass"),
    ("json", "jsonb"),
    ("varchar(20)[]", "varchar(40)[]"),
    ("varchar(20)[]", "text[]"),
    ("int[]", "bigint[]"),
]


def type_named(text: str) -> Type:
    statement: Any = parse_sql(f"select null::{text}")[0].stmt
    return type_of(statement.targetList[0].val.typeName)


@pytest.mark.parametrize(("old", "new"), CHANGES)
@pytest.mark.parametrize(
    ("zone", "free"), [("UTC", {"free", "index", "zone"}), ("Asia/Tokyo", {"free", "index"})]
)
def test_the_cost_of_a_type_change_is_that_of_the_server(
    database: str, old: str, new: str, zone: str, free: set[str]
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("select set_config('TimeZone', %s, false)", [zone])
        connection.execute(f"create table t (c {old})")
        before = connection.execute("select pg_relation_filenode('t')").fetchone()
        connection.execute(f"alter table t alter c type {new} using c::{new}")
        after = connection.execute("select pg_relation_filenode('t')").fetchone()

    assert (before == after) == (cost(type_named(old), type_named(new)) in free)
