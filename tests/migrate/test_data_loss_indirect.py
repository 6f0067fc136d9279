"""Indirect data loss: by settings, after moves, attached tables and new objects, and by CASCADE."""

from __future__ import annotations

import pytest

from aigym_db.errors import DataLoss
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.rollback import rollback

UP = """
    create schema app; create schema trash;
    create table app.t (x int); insert into app.t values (1), (2);
    create table public.t (x int); insert into public.t values (1), (2), (3);
    create table app.p (a int) partition by list (a); create table app.p1 partition of app.p default;
    insert into app.p values (1);
    create function app.wipe() returns trigger language plpgsql as
      'begin delete from public.t; return null; end';
"""
FUNCTION = "create function app.g(int) returns int language sql immutable as 'select $1';"

LOST = {
    "a table resolved by set_config": (
        "",
        "select pg_catalog.set_config('search_path', 'app', true); drop table t;",
        ["app.t: 2 rows"],
    ),
    "a table resolved by set_config in mixed case": (
        "",
        "select set_config('Search_Path', 'app', true); drop table t;",
        ["app.t: 2 rows"],
    ),
    "a table whose name another table gets in its schema": (
        "create table app.empty ();",
        "alter table app.t rename to s; alter table app.empty rename to t; drop table t;",
        ["t: 3 rows"],
    ),
    "a table resolved by SET SCHEMA": ("", "set local schema 'app'; drop table t;", ["app.t: 2 rows"]),
    "a table resolved by a SET with comments": (
        "",
        "/* path */ set /* x */ local search_path to app; drop table t;",
        ["app.t: 2 rows"],
    ),
    "a table in a schema that is dropped": (
        "",
        "alter table app.t set schema trash; drop schema trash cascade;",
        ["app.t: 2 rows"],
    ),
    "a table in a new schema": (
        "",
        "create schema bin; alter table app.t set schema bin; drop schema bin cascade;",
        ["app.t: 2 rows"],
    ),
    "a partition attached to another parent": (
        "create table app.hold (a int);",
        "alter table app.p detach partition app.p1; alter table app.p1 inherit app.hold;"
        "drop table app.hold cascade;",
        ["app.p1: 1 row"],
    ),
    "a table that inherits a new parent": (
        "",
        "create table app.hold (x int); alter table app.t inherit app.hold; drop table app.hold cascade;",
        ["app.t: 2 rows"],
    ),
    "a table that inherits a parent in a dropped schema": (
        "create table trash.hold (x int);",
        "alter table app.t inherit trash.hold; drop schema trash cascade;",
        ["app.t: 2 rows"],
    ),
    "a table attached to a dropped one": (
        "create table app.q (x int) partition by list (x);",
        "alter table app.q attach partition app.t default; drop table app.q;",
        ["app.t: 2 rows"],
    ),
    "a table attached to a new one in a dropped schema": (
        "",
        "create table app.np (x int) partition by list (x);"
        "alter table app.np attach partition app.t default;"
        "alter table app.np set schema trash; drop schema trash cascade;",
        ["app.t: 2 rows"],
    ),
    "a table attached to one created in a dropped schema": (
        "",
        "create table trash.np (x int) partition by list (x);"
        "alter table trash.np attach partition app.t default; drop schema trash cascade;",
        ["app.t: 2 rows"],
    ),
    "a table that inherits a new child of a dropped table": (
        "create table app.b (x int);",
        "create table app.c () inherits (app.b); alter table app.t inherit app.c; drop table app.b cascade;",
        ["app.t: 2 rows"],
    ),
    "a table attached to a new partition of a dropped table": (
        "create table app.q (x int) partition by list (x);",
        "create table app.np partition of app.q default partition by list (x);"
        "alter table app.np attach partition app.t default; drop table app.q;",
        ["app.t: 2 rows"],
    ),
    "a table partitioned by a function": (
        f"{FUNCTION} create table app.r (a int) partition by range (app.g(a));"
        "create table app.r1 partition of app.r default; insert into app.r values (1);",
        "drop function app.g(int) cascade;",
        ["app.r: 1 row dropped with app.g"],
    ),
    "a table partitioned by an operator class": (
        "create function app.h(int, bigint) returns bigint language sql immutable as 'select $1 + $2';"
        "create operator class app.ops for type int using hash as operator 1 =, function 2 app.h;"
        "create table app.r (a int) partition by hash (a app.ops);"
        "create table app.r1 partition of app.r for values with (modulus 1, remainder 0);"
        "insert into app.r values (1);",
        "drop operator class app.ops using hash cascade;",
        ["app.r: 1 row dropped with hash.app.ops"],
    ),
    "a column computed by a function": (
        f"{FUNCTION} alter table app.t add y int generated always as (app.g(x)) stored;",
        "drop function app.g(int) cascade;",
        ["app.t.y: 2 rows dropped with app.g"],
    ),
    "a column computed by a function named without arguments": (
        f"{FUNCTION} alter table app.t add y int generated always as (app.g(x)) stored;",
        "drop function app.g cascade;",
        ["app.t.y: 2 rows dropped with app.g"],
    ),
    "a column computed by an operator": (
        f"{FUNCTION} create operator app.@@@ (function = app.g, rightarg = int);"
        "alter table app.t add y int generated always as (operator(app.@@@) x) stored;",
        "drop operator app.@@@ (none, int) cascade;",
        ["app.t.y: 2 rows dropped with app.@@@"],
    ),
    "a column of the row type of a view that is dropped with a function": (
        f"{FUNCTION} create view app.v as select app.g(1) as one;"
        "alter table app.t add y app.v default row(1);",
        "drop function app.g(int) cascade;",
        ["app.t.y: 2 rows dropped with app.g"],
    ),
}


@pytest.mark.parametrize("case", LOST)
def test_indirect_data_loss_is_listed(database, other, write, case: str) -> None:
    more, down, expected = LOST[case]
    chain = (write(1, f"{UP}{more}", down),)
    migrate(database, chain)

    with pytest.raises(DataLoss) as raised:
        rollback(database, chain)

    assert raised.value.detail.splitlines() == expected
    assert other.execute(
        "select (select count(*) from app.t), (select count(*) from public.t)"
    ).fetchone() == (2, 3)


KEPT = {
    "a table that the rollback creates": ("", "create table app.n (x int); drop table app.n;"),
    "a table that the rollback creates and renames": (
        "",
        "create table app.n (x int); alter table app.n rename to m; drop table app.m;",
    ),
    "a schema that the rollback creates": ("", "create schema n create table m (); drop schema n cascade;"),
    "rows of a table that the rollback creates": (
        "",
        "create temporary table n on commit drop as select 1 as x; delete from n;",
    ),
    "objects that do not exist": (
        "",
        "set local search_path to app; drop table if exists gone cascade; drop schema if exists gone cascade;"
        "drop type if exists gone cascade; drop function if exists gone(int) cascade;"
        "drop extension if exists gone cascade; alter table if exists gone drop column x;",
    ),
    "an operator, an aggregate and a language that do not exist": (
        "",
        "drop operator if exists app.=== (int, int) cascade; drop aggregate if exists app.n(*) cascade;"
        "drop language if exists gone cascade; drop function if exists nowhere.gone cascade;",
    ),
    "a renamed type without dependents": (
        "create type app.m as enum ('a');",
        "alter type app.m rename to n; drop type app.n;",
    ),
    "a trigger on a table that is not written": (
        "create table app.n (x int);",
        "create trigger x after insert on app.t execute function app.wipe(); insert into app.n values (1);",
    ),
    "a table moved to a schema and back": (
        "",
        "create schema n; alter table app.t set schema n; alter table n.t set schema app;"
        "drop schema n cascade;",
    ),
    "unrelated settings": ("", "set local work_mem to '8MB'; select set_config('x.y', 'a', true);"),
    "a function that only a default and a check use": (
        f"{FUNCTION} alter table app.t add check (app.g(x) > 0), alter x set default app.g(1);",
        "drop function app.g(int) cascade;",
    ),
}


@pytest.mark.parametrize("case", KEPT)
def test_indirect_statements_without_data_loss_need_no_confirmation(database, write, case: str) -> None:
    more, down = KEPT[case]
    chain = (write(1, f"{UP}{more}", down),)
    migrate(database, chain)

    assert len(rollback(database, chain)) == 1


def test_a_table_created_by_a_later_rollback_may_be_dropped_by_an_earlier_one(database, write) -> None:
    chain = (
        write(1, "create table a (x int);", "drop table a;"),
        write(2, "drop table a;", "create table a (x int);"),
    )
    migrate(database, chain)

    assert len(rollback(database, chain, steps=2)) == 2
