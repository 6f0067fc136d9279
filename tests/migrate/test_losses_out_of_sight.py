"""What nobody can look into needs a yes; what a rollback that was cut short has done already needs none."""

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

UNSEEN = {
    "a path that is only known then": (
        "",
        "select set_config('search_path', lower('APP'), true);",
        "set_config(): who acts and what names mean from then on",
    ),
    "a setting whose name is only known then": (
        "",
        "select set_config(lower('ROLE'), 'x', true);",
        "set_config(): who acts and what names mean from then on",
    ),
    "a role": (
        "",
        "select set_config('role', current_user::text, true);",
        "set_config(): who acts and what names mean from then on",
    ),
    "a path that a block sets": (
        "",
        "do $$ begin set local search_path to app; end $$;",
        "a DO block: code that nobody can look into here",
    ),
    "a table that is not there": (
        "",
        "drop table app.gone;",
        "app.gone is not to be found now, so nobody can look into it here",
    ),
    "rows of a table that is not there": (
        "",
        "delete from app.gone;",
        "app.gone is not to be found now, so nobody can look into it here",
    ),
    "a renamed type": (
        "create type app.m as enum ('a');",
        "alter type app.m rename to n; drop type if exists app.n cascade;",
        "DROP … app.n CASCADE: what was moved or renamed before",
    ),
    "a function moved to a schema that is dropped": (
        FUNCTION,
        "alter function app.g(int) set schema trash; drop schema trash cascade;",
        "DROP … trash CASCADE: what was moved or renamed before",
    ),
    "what a role was given": (
        "",
        "alter table app.t owner to pg_monitor; drop owned by pg_monitor cascade;",
        "DROP … pg_monitor CASCADE: what was moved or renamed before",
    ),
    "rows of a table that gets children": (
        "create table app.hold (x int);",
        "alter table app.t inherit app.hold; delete from app.hold;",
        "app.hold: the rows of tables that hang on it by then",
    ),
    "rows of a table that is referred to": (
        "create table app.k (x int primary key);",
        "alter table app.t add foreign key (x) references app.k not valid; truncate app.k cascade;",
        "app.k: the rows of tables that hang on it by then",
    ),
    "a trigger on an update": (
        "",
        "create trigger x after update on app.t execute function app.wipe();"
        "update app.t set x = 1 where false;",
        "app.t: what the trigger or rule that was made before does",
    ),
    "a trigger on plain rows": (
        "",
        "create trigger x after insert on app.t execute function app.wipe(); insert into app.t values (3);",
        "app.t: what the trigger or rule that was made before does",
    ),
    "a trigger on a COPY": (
        "",
        "create trigger x after insert on app.t execute function app.wipe();\n"
        "copy app.t from stdin;\n1\n\\.\n",
        "app.t: what the trigger or rule that was made before does",
    ),
    "a rule": (
        "",
        "create rule x as on insert to app.t do also delete from public.t; insert into app.t values (3);",
        "app.t: what the trigger or rule that was made before does",
    ),
    "a call in brackets": (
        "create function app.f() returns void begin atomic delete from app.t; end;",
        "(select app.f());",
        "app.f() runs code that nobody can look into here",
    ),
}


@pytest.mark.parametrize("what", UNSEEN)
def test_what_cannot_be_looked_into_needs_a_yes(database, write, what: str) -> None:
    more, down, expected = UNSEEN[what]
    chain = (write(1, f"{UP}{more}", down),)
    migrate(database, chain)

    with pytest.raises(DataLoss) as refusal:
        rollback(database, chain)

    assert refusal.value.detail.partition(".sql:")[2].partition(": ")[2] == expected


def test_a_rollback_that_was_cut_short_goes_on_without_a_yes(database, other, write) -> None:
    """Outside a transaction its first statement is done, and what it dropped is not there any more."""
    outside = " transaction:false"
    down = "drop table a;\ndrop table b;"
    chain = (
        write(1, "create table a (); create table b ();", down, down_options=outside),
        write(2, "create table c ();", "drop table c;"),
    )
    migrate(database, chain)
    other.execute("create view v as select from b")
    with pytest.raises(PartiallyApplied):
        rollback(database, chain, steps=2)
    other.execute("drop view v")

    assert [done.migration.version for done in rollback(database, chain)] == [1]


def test_a_renamed_table_that_a_rollback_cut_short_has_renamed_already_is_not_called_none(
    database, other, write
) -> None:
    down = "alter table a rename to b;\nalter table c add x int;\ndrop table b;"
    chain = (write(1, "create table a (x int); create table c ();", down, down_options=" transaction:false"),)
    migrate(database, chain)
    other.execute("alter table c add x int")
    with pytest.raises(PartiallyApplied):
        rollback(database, chain)
    other.execute("alter table c drop x; insert into b values (1)")

    with pytest.raises(DataLoss, match="Rolling back 0001"):
        rollback(database, chain)
