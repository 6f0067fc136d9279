"""Statements of unknown effect need a confirmation; what an interrupted rollback has dropped needs none."""

from __future__ import annotations

import pytest

from aigym_db.errors import DataLoss, PartiallyApplied
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.rollback import rollback

UP = """
    create schema app; create schema trash;
    create table app.t (x int); insert into app.t values (1), (2);
    create table public.t (x int); insert into public.t values (1), (2), (3);
    create function app.wipe() returns trigger language plpgsql as
      'begin delete from public.t; return null; end';
"""
FUNCTION = "create function app.g(int) returns int language sql immutable as 'select $1';"

UNKNOWN = {
    "a search_path that is only known at run time": (
        "",
        "select set_config('search_path', lower('APP'), true);",
        "set_config(): changes the role or the search_path to an unknown value",
    ),
    "a setting whose name is only known at run time": (
        "",
        "select set_config(lower('ROLE'), 'x', true);",
        "set_config(): changes the role or the search_path to an unknown value",
    ),
    "a role": (
        "",
        "select set_config('role', current_user::text, true);",
        "set_config(): changes the role or the search_path to an unknown value",
    ),
    "a search_path set by a block": (
        "",
        "do $$ begin set local search_path to app; end $$;",
        "DO block: effects cannot be determined",
    ),
    "a table that does not exist": (
        "",
        "drop table app.gone;",
        "app.gone does not exist yet, so its rows cannot be counted",
    ),
    "rows of a table that does not exist": (
        "",
        "delete from app.gone;",
        "app.gone does not exist yet, so its rows cannot be counted",
    ),
    "a renamed type": (
        "create type app.m as enum ('a');",
        "alter type app.m rename to n; drop type if exists app.n cascade;",
        "DROP … app.n CASCADE: objects moved or renamed before",
    ),
    "a function moved to a schema that is dropped": (
        FUNCTION,
        "alter function app.g(int) set schema trash; drop schema trash cascade;",
        "DROP … trash CASCADE: objects moved or renamed before",
    ),
    "an object assigned to a role": (
        "",
        "alter table app.t owner to pg_monitor; drop owned by pg_monitor cascade;",
        "DROP OWNED BY pg_monitor: objects that earlier statements assign to it",
    ),
    "an object assigned to a role whose objects are dropped without CASCADE": (
        "",
        "alter table app.t owner to pg_monitor; drop owned by pg_monitor;",
        "DROP OWNED BY pg_monitor: objects that earlier statements assign to it",
    ),
    "rows of a table that gets child tables": (
        "create table app.hold (x int);",
        "alter table app.t inherit app.hold; delete from app.hold;",
        "app.hold: rows of tables that depend on it by then",
    ),
    "rows of a table that is referenced": (
        "create table app.k (x int primary key);",
        "alter table app.t add foreign key (x) references app.k not valid; truncate app.k cascade;",
        "app.k: rows of tables that depend on it by then",
    ),
    "a trigger on an update": (
        "",
        "create trigger x after update on app.t execute function app.wipe();"
        "update app.t set x = 1 where false;",
        "app.t: effects of a new trigger or rule",
    ),
    "a trigger on an insert": (
        "",
        "create trigger x after insert on app.t execute function app.wipe(); insert into app.t values (3);",
        "app.t: effects of a new trigger or rule",
    ),
    "a trigger on a COPY": (
        "",
        "create trigger x after insert on app.t execute function app.wipe();\n"
        "copy app.t from stdin;\n1\n\\.\n",
        "app.t: effects of a new trigger or rule",
    ),
    "a rule": (
        "",
        "create rule x as on insert to app.t do also delete from public.t; insert into app.t values (3);",
        "app.t: effects of a new trigger or rule",
    ),
    "a call in parentheses": (
        "create function app.f() returns void begin atomic delete from app.t; end;",
        "(select app.f());",
        "app.f(): effects cannot be determined",
    ),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_an_unknown_effect_needs_a_confirmation(database, write, case: str) -> None:
    more, down, expected = UNKNOWN[case]
    chain = (write(1, f"{UP}{more}", down),)
    migrate(database, chain)

    with pytest.raises(DataLoss) as raised:
        rollback(database, chain)

    assert raised.value.detail.partition(".sql:")[2].partition(": ")[2] == expected


def test_an_interrupted_rollback_resumes_without_a_confirmation(database, other, write) -> None:
    """The first statement of the non-transactional file has run, so its table no longer exists."""
    non_transactional = " transaction:false"
    down = "drop table a;\ndrop table b;"
    chain = (
        write(1, "create table a (); create table b ();", down, down_options=non_transactional),
        write(2, "create table c ();", "drop table c;"),
    )
    migrate(database, chain)
    other.execute("create view v as select from b")
    with pytest.raises(PartiallyApplied):
        rollback(database, chain, steps=2)
    other.execute("drop view v")

    assert [done.migration.version for done in rollback(database, chain)] == [1]


def test_a_table_already_renamed_by_an_interrupted_rollback_is_counted(database, other, write) -> None:
    down = "alter table a rename to b;\nalter table c add x int;\ndrop table b;"
    chain = (write(1, "create table a (x int); create table c ();", down, down_options=" transaction:false"),)
    migrate(database, chain)
    other.execute("alter table c add x int")
    with pytest.raises(PartiallyApplied):
        rollback(database, chain)
    other.execute("alter table c drop x; insert into b values (1)")

    with pytest.raises(DataLoss, match="Rolling back 0001"):
        rollback(database, chain)
