"""A contract may only take away what nothing needs any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from aigym_db.project.config import find
from aigym_db.project.lock_file import freeze
from aigym_db.project.migrations import migrations
from aigym_db.verify.verify import verify

START = """create schema app;
create table app.users (id bigint primary key, name text, kind text);
create table app.other (id bigint primary key, name text);
"""
SYNC = """alter table app.users add column full_name text;
create function app.sync() returns trigger language plpgsql as $$
begin
  new.full_name := coalesce(new.full_name, new.name);
  return new;
end $$;
create trigger users_sync before insert or update on app.users for each row execute function app.sync();
"""
DROP = "alter table app.users drop column name;"


@pytest.fixture
def said(tmp_path: Path):
    """What the check says of a line of migrations; each is its up, or its phase and its up."""

    def made(*line: str | tuple[str, str], freezes: bool = False) -> list[str]:
        for version, one in enumerate(line, start=1):
            phase, up = one if isinstance(one, tuple) else ("", one)
            text = f"-- migrate:up {phase}\n{up}\n-- migrate:down irreversible: a test\n"
            (tmp_path / "migrations").mkdir(exist_ok=True)
            (tmp_path / f"migrations/{version:04d}_step.sql").write_text(text, encoding="utf-8")
        project = find(tmp_path)
        if freezes:
            freeze(project, migrations(project))
        found = verify(project, names=("contract-still-needed",)).findings
        assert all(finding.level == "error" and finding.place for finding in found)
        return [f"{finding.place}: {finding.message}" for finding in found]

    return made


def contract(up: str) -> tuple[str, str]:
    return "phase:contract", up


def expand(up: str) -> tuple[str, str]:
    return "phase:expand", up


def test_a_trigger_that_still_names_the_dropped_column_is_found(said) -> None:
    assert said(START, expand(SYNC), contract(DROP)) == [
        "migrations/0003_step.sql:2:35: 0003 step drops column app.users.name, and the function app.sync(), "
        "which the triggers of app.users run, still names it since 0002 step."
    ]


def test_a_contract_that_takes_the_trigger_away_first_is_right(said) -> None:
    end = "drop trigger users_sync on app.users; drop function app.sync();"

    assert said(START, expand(SYNC), contract(end + DROP)) == []


def test_a_line_without_contracts_has_nothing_to_find(said) -> None:
    assert said(START, SYNC.replace("new.name", "new.nothing")) == []


NAMING = {
    "a function in SQL": "create function app.f() returns text language sql as 'select name from app.users';",
    "a query in plpgsql": (
        "create function app.f() returns void language plpgsql as"
        " $$ declare r record; begin select u.name into r from app.users u; end $$;"
    ),
    "an alias with AS": (
        "create function app.f() returns void language plpgsql as"
        " $$ begin perform 1 from app.users as u where u.name is null; end $$;"
    ),
    "a column without its table": (
        "create function app.f() returns void language plpgsql as"
        " $$ begin update app.users set name = upper(name); end $$;"
    ),
    "a statement that is executed": (
        "create function app.f() returns void language plpgsql as"
        " $$ begin execute 'update app.users set name = null'; end $$;"
    ),
    "a procedure": (
        "create procedure app.f() language plpgsql as"
        " $$ begin delete from app.users where name = 'x'; end $$;"
    ),
    "a variable of a type with a schema": (
        "create type app.mood as enum ('good'); create function app.f() returns void language plpgsql as"
        " $$ declare m app.mood; begin select users.name into m from app.users; end $$;"
    ),
}


@pytest.mark.parametrize("how", NAMING)
def test_whatever_names_the_dropped_column_is_found(said, how: str) -> None:
    found = said(START, expand(NAMING[how]), contract(DROP))

    assert len(found) == 1
    assert "drops column app.users.name, and the function app.f() still names it since 0002 step." in found[0]


INNOCENT = {
    "the same column of another table": (
        "create function app.f() returns void language plpgsql as"
        " $$ begin update app.other set name = 'x'; end $$;"
    ),
    "both tables, and the other's column": (
        "create function app.f() returns void language plpgsql as"
        " $$ begin perform o.name from app.other o join app.users u on u.id = o.id; end $$;"
    ),
    "the other's column by its name alone": (
        "create function app.f() returns void language plpgsql as"
        " $$ begin update app.users set kind = 'x'; update app.other set name = 'y'; end $$;"
    ),
    "a variable of that name": (
        "create function app.f() returns void language plpgsql as"
        " $$ declare name text; begin select kind into name from app.users; end $$;"
    ),
    "an argument of that name": (
        "create function app.f(name text) returns void language plpgsql as"
        " $$ begin update app.users set kind = name; end $$;"
    ),
    "a comment": (
        "create function app.f() returns void language plpgsql as"
        " $$ begin update app.users set kind = 'x'; -- users.name\n end $$;"
    ),
    "a message": (
        "create function app.f() returns void language plpgsql as"
        " $$ begin perform from app.users; raise exception 'no name'; end $$;"
    ),
    "a trigger of another table": (
        "create function app.f() returns trigger language plpgsql as"
        " $$ begin new.name := 'x'; return new; end $$;"
        "create trigger t before insert on app.other for each row execute function app.f();"
    ),
}


@pytest.mark.parametrize("how", INNOCENT)
def test_what_names_something_else_is_not_accused(said, how: str) -> None:
    assert said(START, expand(INNOCENT[how]), contract(DROP)) == []


@pytest.mark.parametrize(
    ("expands", "contracts", "expected"),
    [
        (
            "create function app.f() returns void language plpgsql as"
            " $$ begin delete from app.other; end $$;",
            "drop table app.other;",
            "0003 step drops table app.other, and the function app.f() still names it since 0002 step.",
        ),
        (
            "create function app.g() returns int language sql as 'select 1';"
            "create function app.f() returns void language plpgsql as $$ begin perform app.g(); end $$;",
            "drop function app.g();",
            "0003 step drops function app.g(), and the function app.f() still names it since 0002 step.",
        ),
        (
            "create type app.mood as enum ('good'); create function app.f() returns void language plpgsql as"
            " $$ declare m app.mood; begin null; end $$;",
            "drop type app.mood;",
            "still names it since 0002 step.",
        ),
        (
            "alter table app.users add constraint users_name_key unique (name);"
            "create function app.f() returns void language plpgsql as $$ begin"
            " insert into app.users values (1)"
            " on conflict on constraint users_name_key do nothing; end $$;",
            "alter table app.users drop constraint users_name_key;",
            "0003 step drops constraint app.users.users_name_key, and the function app.f() still names it",
        ),
        (
            "create sequence app.s; create function app.f() returns bigint language plpgsql as"
            " $$ begin return nextval('app.s'); end $$;",
            "drop sequence app.s;",
            "0003 step drops sequence app.s, and the function app.f() still names it since 0002 step.",
        ),
        (
            "create view app.names as select name from app.users;",
            "alter table app.users drop column name cascade;",
            "0003 step drops view app.names by CASCADE and does not name it; 0002 step created it.",
        ),
        (
            "create type app.mood as enum ('good'); alter table app.users add mood app.mood;",
            "drop type app.mood cascade;",
            "0003 step drops column app.users.mood by CASCADE and does not name it; 0002 step created it.",
        ),
    ],
)
def test_every_kind_of_object_that_is_still_needed_is_found(
    said, expands: str, contracts: str, expected: str
) -> None:
    found = said(START, expand(expands), contract(contracts))

    assert [line for line in found if expected in line]


def test_a_later_expand_that_needs_what_is_gone_is_found(said) -> None:
    later = "create view app.v as select name from app.users;"

    assert said(START, contract(DROP), expand(later)) == [
        "migrations/0003_step.sql:2:29: 0003 step needs what 0002 step has dropped: "
        'migrations/0003_step.sql: column "name" does not exist'
    ]


def test_a_function_that_a_later_expand_makes_is_found(said) -> None:
    later = NAMING["a query in plpgsql"]

    found = said(START, contract(DROP), expand(later))

    assert len(found) == 1
    assert "0002 step drops column app.users.name, and the function app.f() still names it" in found[0]


def test_a_draft_that_is_mended_later_is_broken_in_between(said) -> None:
    mended = expand("drop trigger users_sync on app.users; drop function app.sync();")

    assert len(said(START, expand(SYNC), contract(DROP), mended)) == 1


def test_a_frozen_one_that_was_mended_since_is_history(said) -> None:
    mended = expand("drop trigger users_sync on app.users; drop function app.sync();")

    assert said(START, expand(SYNC), contract(DROP), mended, freezes=True) == []


def test_a_column_that_came_back_is_not_missed(said) -> None:
    assert (
        said(START, expand(SYNC), contract(DROP), "alter table app.users add name text;", freezes=True) == []
    )


def test_a_migration_that_fails_for_a_reason_of_its_own_is_said_as_such(said) -> None:
    found = said(START, contract("alter table app.users drop column kind;"), "create table app.users ();")

    assert len(found) == 1
    assert 'relation "users" already exists' in found[0]
    assert "needs what" not in found[0]
