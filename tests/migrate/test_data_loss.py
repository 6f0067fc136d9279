"""The data that a rollback destroys is listed and counted; statements that destroy none are not listed."""

from __future__ import annotations

import pytest

from aigym_db.errors import DataLoss
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.rollback import rollback

TABLE = """
    create schema app;
    create table app.a (
      id int, note text, price numeric(8, 4), doubled int generated always as (id * 2) stored);
"""
ROWS = "insert into app.a values (1, 'one', 1.5), (2, 'two', 2.25), (3, null, 3.1234);"

LOST = {
    "rows deleted": ("", "delete from app.a where id > 1;", ["app.a: 2 rows deleted"]),
    "rows deleted by a join": (
        "create table app.b as select generate_series(2, 9) as id from generate_series(1, 3);",
        "delete from app.a using app.b where a.id = b.id;",
        ["app.a: 2 rows deleted"],
    ),
    "rows deleted in a WITH": (
        "",
        "with gone as (delete from app.a where id = 1 returning id) select id from gone;",
        ["app.a: 1 row deleted"],
    ),
    "rows deleted by a foreign key": (
        "alter table app.a add primary key (id);"
        "create table app.b (a int references app.a on delete cascade);"
        "create table app.c (a int references app.a on delete set null);"
        "create table app.d (a int references app.a);"
        "create table app.e (a int references app.a on delete cascade);"
        "insert into app.b values (1); insert into app.c values (1);",
        "delete from app.a;",
        [
            "app.a: 3 rows deleted",
            "app.b: rows deleted by a foreign key to app.a",
            "app.c: rows changed by a foreign key to app.a",
        ],
    ),
    "a truncated table and the tables that reference it": (
        "alter table app.a add primary key (id);"
        "create table app.b (a int references app.a); insert into app.b values (1);",
        "truncate app.a cascade;",
        ["app.a: 3 rows", "app.b: rows deleted by a foreign key to app.a"],
    ),
    "values overwritten": (
        "",
        "update app.a set note = 'x' where id < 3;",
        ["app.a.note: 2 rows overwritten"],
    ),
    "values that a narrower type rounds": (
        "",
        "alter table app.a alter column price type numeric(8, 2);",
        ["app.a.price: 1 row with a value that the type change does not preserve"],
    ),
    "values that an expression truncates": (
        "",
        "alter table app.a alter column note type varchar(2) using left(note, 2);",
        ["app.a.note: 2 rows with a value that the type change does not preserve"],
    ),
    "values that cannot be compared": (
        "create function app.f(numeric) returns numeric language sql as 'select 1.0 / 0';",
        "alter table app.a alter column price type numeric using app.f(price);",
        ["app.a.price: 3 rows with a value that the type change does not preserve"],
    ),
    "a column dropped with its type": (
        "create type app.mood as enum ('good'); alter table app.a add mood app.mood default 'good';",
        "drop type app.mood cascade;",
        ["app.a.mood: 3 rows dropped with app.mood"],
    ),
    "a column of arrays dropped with a domain": (
        "create domain app.name as text; alter table app.a add names app.name[] default '{x}';",
        "drop domain app.name cascade;",
        ["app.a.names: 3 rows dropped with app.name"],
    ),
    "a column dropped with the row type of a view": (
        "create view app.v as select 1 as one; alter table app.a add v app.v default row(1);",
        "drop view app.v cascade;",
        ["app.a.v: 3 rows dropped with app.v"],
    ),
    "a collation that columns use": (
        'create collation app.c from "C"; alter table app.a add x text collate app.c default 1;',
        "drop collation app.c cascade;",
        ["app.a.x: 3 rows dropped with app.c"],
    ),
    "a composite type's attribute": (
        "create type app.pair as (x int, y int);",
        "alter type app.pair drop attribute y;",
        [
            "migrations/0001_step_1.sql:{line}:1: DROP ATTRIBUTE app.pair.y: its values in every column of "
            "that type"
        ],
    ),
    "a used sequence": (
        "create sequence app.s; create sequence app.t; select nextval('app.s');",
        "drop sequence app.s; drop sequence app.t;",
        ["app.s: sequence, last value 1"],
    ),
    "a partitioned table": (
        "create table app.p (id int) partition by list (id); create table app.p1 partition of app.p default;"
        "insert into app.p values (1), (2);",
        "drop table app.p;",
        ["app.p: 2 rows"],
    ),
    "one partition": (
        "create table app.p (id int) partition by list (id); create table app.p1 partition of app.p default;"
        "insert into app.p values (1), (2);",
        "drop table app.p1;",
        ["app.p1: 2 rows"],
    ),
    "quoted names": (
        'create table app."A ""b" ("Ö%s" int); insert into app."A ""b" values (1);',
        'alter table app."A ""b" drop column "Ö%s";',
        ['app.A "b.Ö%s: 1 row'],
    ),
    "names resolved by the search_path": (
        "",
        "set local search_path to app; drop table a;",
        ["app.a: 3 rows"],
    ),
    "a table that was renamed before": (
        "",
        "alter table app.a rename to b; drop table app.b;",
        ["app.a: 3 rows"],
    ),
    "a table in a renamed schema": (
        "",
        "alter schema app rename to old; drop table old.a;",
        ["app.a: 3 rows"],
    ),
    "a column that was renamed before": (
        "",
        "alter table app.a rename note to remark; alter table app.a drop column remark;",
        ["app.a.note: 2 rows"],
    ),
    "a table moved to another schema": (
        "create schema attic;",
        "alter table app.a set schema attic; drop table attic.a;",
        ["app.a: 3 rows"],
    ),
    "the objects of a role": (
        "do $$ begin if not exists (select from pg_roles where rolname = 'data_loss_owner') then"
        " create role data_loss_owner; end if; end $$;"
        "create table app.b (id int); insert into app.b values (1);"
        "alter table app.b owner to data_loss_owner;",
        "drop owned by data_loss_owner;",
        ["app.b: 1 row"],
    ),
    "a block that deletes": (
        "",
        "do $$ begin delete from app.a; end $$;",
        ["migrations/0001_step_1.sql:{line}:1: DO block: effects cannot be determined"],
    ),
    "a block with dynamic SQL": (
        "",
        "do $$ declare t text := 'app.a'; begin execute 'truncate ' || t; end $$;",
        ["migrations/0001_step_1.sql:{line}:1: DO block: effects cannot be determined"],
    ),
    "a function of the project": (
        "create function app.clean() returns void language sql as 'delete from app.a';",
        "select app.clean();",
        ["migrations/0001_step_1.sql:{line}:1: app.clean(): effects cannot be determined"],
    ),
    "a function called in a block": (
        "create function app.clean() returns void language sql as 'delete from app.a';",
        "do $$ begin perform app.clean(); end $$;",
        ["migrations/0001_step_1.sql:{line}:1: app.clean(): effects cannot be determined"],
    ),
    "a procedure": (
        "create procedure app.clean() language sql as 'delete from app.a';",
        "call app.clean();",
        ["migrations/0001_step_1.sql:{line}:1: app.clean(): effects cannot be determined"],
    ),
    "rows deleted by MERGE": (
        "",
        "merge into app.a using app.a as b on a.id = b.id when matched then delete;",
        ["migrations/0001_step_1.sql:{line}:1: MERGE INTO app.a: the rows it changes"],
    ),
    "rows with a condition on a column that does not exist yet": (
        "",
        "alter table app.a add kind int; delete from app.a where kind is null;",
        ['app.a: rows cannot be counted before the rollback (column "kind" does not exist)'],
    ),
    "a condition with side effects": (
        "create sequence app.s;",
        "delete from app.a where nextval('app.s') > 0;",
        [
            "app.a: rows cannot be counted before the rollback "
            "(cannot execute nextval() in a read-only transaction)"
        ],
    ),
}


def line_of(up: str) -> int:
    return 5 + up.count("\n")


@pytest.mark.parametrize("case", LOST)
def test_the_data_that_a_rollback_destroys_is_listed_and_counted(database, other, write, case: str) -> None:
    more, down, expected = LOST[case]
    up = f"{TABLE}{ROWS}{more}"
    chain = (write(1, up, down),)
    migrate(database, chain)
    before = other.execute("select count(*), count(note) from app.a").fetchone()

    with pytest.raises(DataLoss) as raised:
        rollback(database, chain)

    lines = [line.format(line=line_of(up)) if "{line}" in line else line for line in expected]
    assert raised.value.detail.splitlines() == lines
    assert (" may " in raised.value.message) == all(line.startswith("migrations/") for line in lines)
    assert raised.value.plan is not None
    assert other.execute("select count(*), count(note) from app.a").fetchone() == before


KEPT = {
    "a materialized view": (
        "create materialized view app.m as select * from app.a;",
        "drop materialized view app.m;",
    ),
    "a view": ("create view app.v as select * from app.a;", "drop view app.v;"),
    "a generated column": ("", "alter table app.a drop column doubled;"),
    "a function that checks use": (
        "create function app.ok(int) returns boolean immutable language sql as 'select true';"
        "alter table app.a add check (app.ok(id));",
        "drop function app.ok cascade;",
    ),
    "an index": ("create index a_idx on app.a (id);", "drop index app.a_idx;"),
    "a detached partition": (
        "create table app.p (id int) partition by list (id); create table app.p1 partition of app.p default;"
        "insert into app.p values (1);",
        "alter table app.p detach partition app.p1;",
    ),
    "a condition that matches no rows": ("", "delete from app.a where id > 100;"),
    "a column that the rollback itself adds": (
        "",
        "alter table app.a add kind int; update app.a set kind = id;",
    ),
    "a wider type": ("", "alter table app.a alter column price type numeric(10, 4);"),
    "another type with the same values": ("", "alter table app.a alter column id type bigint;"),
    "a table that does not exist": ("", "drop table if exists app.gone;"),
    "an unused sequence": ("create sequence app.s;", "drop sequence app.s;"),
    "harmless functions of PostgreSQL": ("", "select set_config('x.y', upper('a'), true), pg_catalog.now();"),
    "a block without dynamic SQL": (
        "",
        "do $$ declare x int := 1; begin if x = 1 then "
        "execute format('grant usage on schema %I to public', 'app'); end if; end $$;",
    ),
    "a function that is created, not called": (
        "",
        "create function app.f() returns void language sql begin atomic delete from app.a; end;",
    ),
    "a rule that does not fire": (
        "create table app.b ();",
        "create rule r as on insert to app.b do also delete from app.a;",
    ),
    "rows without conflict": ("", "insert into app.a values (4, upper('x'), 1) on conflict do nothing;"),
}


@pytest.mark.parametrize("case", KEPT)
def test_a_rollback_without_data_loss_needs_no_confirmation(database, write, case: str) -> None:
    more, down = KEPT[case]
    dependent = "alter table app.a drop column doubled;" if "type bigint" in down else ""
    chain = (write(1, f"{TABLE}{ROWS}{dependent}{more}", down),)
    migrate(database, chain)

    assert len(rollback(database, chain)) == 1


def test_dropping_an_extension_drops_its_columns(database, other, write) -> None:
    up = "create schema app; create extension vector; create table app.a (v vector(2));"
    up += "insert into app.a values ('[1,2]');"
    chain = (write(1, up, "drop extension vector cascade;"),)
    migrate(database, chain)

    with pytest.raises(DataLoss) as raised:
        rollback(database, chain)

    assert raised.value.detail == "app.a.v: 1 row dropped with vector"
