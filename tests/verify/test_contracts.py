"""A contract may drop only objects that nothing uses any more."""

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
def messages_for(tmp_path: Path):
    """Return the check's messages for a series of migrations, each an up or a phase and an up."""

    def run(*series: str | tuple[str, str], freezes: bool = False) -> list[str]:
        for version, migration in enumerate(series, start=1):
            phase, up = migration if isinstance(migration, tuple) else ("", migration)
            text = f"-- migrate:up {phase}\n{up}\n-- migrate:down irreversible: a test\n"
            (tmp_path / "migrations").mkdir(exist_ok=True)
            (tmp_path / f"migrations/{version:04d}_step.sql").write_text(text, encoding="utf-8")
        project = find(tmp_path)
        if freezes:
            freeze(project, migrations(project))
        findings = verify(project, names=("contract-still-needed",)).findings
        assert all(finding.level == "error" and finding.place for finding in findings)
        return [f"{finding.place}: {finding.message}" for finding in findings]

    return run


def contract(up: str) -> tuple[str, str]:
    return "phase:contract", up


def expand(up: str) -> tuple[str, str]:
    return "phase:expand", up


def test_a_trigger_that_still_names_the_dropped_column_is_found(messages_for) -> None:
    assert messages_for(START, expand(SYNC), contract(DROP)) == [
        "migrations/0003_step.sql:2:35: 0003 step drops column app.users.name, and the function app.sync(), "
        "which the triggers of app.users run, still names it since 0002 step."
    ]


def test_a_contract_that_drops_the_trigger_first_is_accepted(messages_for) -> None:
    end = "drop trigger users_sync on app.users; drop function app.sync();"

    assert messages_for(START, expand(SYNC), contract(end + DROP)) == []


def test_migrations_without_contracts_have_no_findings(messages_for) -> None:
    assert messages_for(START, SYNC.replace("new.name", "new.nothing")) == []


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


@pytest.mark.parametrize("description", NAMING)
def test_a_function_that_names_the_dropped_column_is_found(messages_for, description: str) -> None:
    messages = messages_for(START, expand(NAMING[description]), contract(DROP))

    assert len(messages) == 1
    assert (
        "drops column app.users.name, and the function app.f() still names it since 0002 step." in messages[0]
    )


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


@pytest.mark.parametrize("description", INNOCENT)
def test_a_function_that_names_another_object_is_no_finding(messages_for, description: str) -> None:
    assert messages_for(START, expand(INNOCENT[description]), contract(DROP)) == []


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
def test_every_kind_of_dependent_object_is_found(
    messages_for, expands: str, contracts: str, expected: str
) -> None:
    messages = messages_for(START, expand(expands), contract(contracts))

    assert [line for line in messages if expected in line]


def test_a_later_expand_that_uses_a_dropped_column_is_found(messages_for) -> None:
    later = "create view app.v as select name from app.users;"

    assert messages_for(START, contract(DROP), expand(later)) == [
        "migrations/0003_step.sql:2:29: 0003 step needs what 0002 step has dropped: "
        'migrations/0003_step.sql: column "name" does not exist'
    ]


def test_a_function_that_a_later_expand_creates_is_found(messages_for) -> None:
    later = NAMING["a query in plpgsql"]

    messages = messages_for(START, contract(DROP), expand(later))

    assert len(messages) == 1
    assert "0002 step drops column app.users.name, and the function app.f() still names it" in messages[0]


def test_a_draft_that_is_corrected_later_is_found(messages_for) -> None:
    correction = expand("drop trigger users_sync on app.users; drop function app.sync();")

    assert len(messages_for(START, expand(SYNC), contract(DROP), correction)) == 1


def test_a_frozen_migration_that_was_corrected_later_is_no_finding(messages_for) -> None:
    correction = expand("drop trigger users_sync on app.users; drop function app.sync();")

    assert messages_for(START, expand(SYNC), contract(DROP), correction, freezes=True) == []


def test_a_column_that_was_added_again_is_no_finding(messages_for) -> None:
    assert (
        messages_for(
            START, expand(SYNC), contract(DROP), "alter table app.users add name text;", freezes=True
        )
        == []
    )


def test_a_migration_that_fails_for_another_reason_reports_that_reason(messages_for) -> None:
    messages = messages_for(
        START, contract("alter table app.users drop column kind;"), "create table app.users ();"
    )

    assert len(messages) == 1
    assert 'relation "users" already exists' in messages[0]
    assert "needs what" not in messages[0]
