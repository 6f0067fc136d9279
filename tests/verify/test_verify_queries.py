"""Every check of a database finds what it is for, and nothing in a sound database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from aigym_db.database.servers import Server
from aigym_db.project.config import Project
from aigym_db.verify.registry import checks, find, page
from aigym_db.verify.verify import verify

SOUND = """
create schema app authorization verify_owner;
grant usage on schema app to verify_reader;
set role verify_owner;
create table app.birds (
  id bigint primary key,
  parent bigint references app.birds,
  name text check (name <> '')
);
alter table app.birds enable row level security;
create policy birds_select on app.birds for select to verify_reader using (id > 0);
grant select, insert, update (name), delete on app.birds to verify_reader;
create function app.touch() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger birds_touch before update on app.birds for each row execute function app.touch();
create function app.secret() returns bigint language sql security definer set search_path = '' as 'select 1';
revoke execute on function app.secret() from public;
grant execute on function app.secret() to verify_reader;
create view app.names with (security_invoker = true) as select name from app.birds;
grant select on app.names to verify_reader;
create view app.internal as select name from app.birds;
create table app.days (day date) partition by range (day);
alter table app.days enable row level security;
create table app.days_2025 partition of app.days for values from ('2025-01-01') to ('2026-01-01');
alter table app.days_2025 enable row level security;
reset role;
create schema aigym_db;
create table aigym_db.event (id int);
"""
BROKEN = {
    "row-security-off": [
        ("alter table app.birds disable row level security", "so its policies do nothing"),
        ("alter table app.days_2025 disable row level security", "The partition app.days_2025"),
        ("create table app.more (id int)", "app.more has row-level security switched off"),
    ],
    "policy-to-public": [("alter policy birds_select on app.birds to public", "birds_select on app.birds")],
    "privilege-past-policies": [
        ("grant truncate on app.birds to verify_reader", "verify_reader may truncate app.birds"),
        ("grant all on app.birds to public", "Everybody may"),
    ],
    "partition-reachable": [("grant select on app.days_2025 to verify_reader", "granted to verify_reader")],
    "definer-search-path": [
        ("alter function app.secret() reset search_path", "app.secret() runs as verify_owner")
    ],
    "definer-for-everyone": [
        ("grant execute on function app.secret() to public", "Everybody may call app.secret()")
    ],
    "view-as-owner": [
        ("alter view app.names reset (security_invoker)", "app.names reads as verify_owner"),
        ("alter view app.names set (security_invoker = false)", "app.names reads as verify_owner"),
        ("grant select on app.internal to public", "to everybody"),
    ],
    "schema-open-for-objects": [("grant create on schema app to verify_reader", "verify_reader may create")],
    "owner-passes-policies": [("alter role verify_owner login", "verify_owner owns 3 tables")],
    "invalid-index": [
        (
            "update pg_catalog.pg_index set indisvalid = false where indexrelid = 'app.birds_pkey'::regclass",
            "app.birds_pkey on app.birds",
        )
    ],
    "unproven-constraint": [
        (
            "alter table app.birds add constraint birds_check check (id > 5) not valid",
            "birds_check on app.birds",
        )
    ],
    "disabled-trigger": [
        (
            "alter table app.birds disable trigger all",
            "foreign keys and triggers are switched off: birds_parent_fkey",
        ),
        ("alter table app.birds disable trigger birds_touch", "triggers are switched off: birds_touch"),
    ],
}
CASES = [(name, change, said) for name, changes in BROKEN.items() for change, said in changes]


@pytest.fixture
def sound(server: Server, database: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection to a database that nothing is wrong with."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create role verify_owner; create role verify_reader")
        connection.execute(SOUND)
        yield connection
        connection.execute("drop schema app cascade; drop role verify_owner; drop role verify_reader")


@pytest.mark.parametrize(("name", "change", "said"), CASES)
def test_a_check_finds_what_it_is_for(
    sound: psycopg.Connection[tuple[object, ...]],
    database: str,
    tmp_path: Path,
    name: str,
    change: str,
    said: str,
) -> None:
    before = verify(Project(tmp_path), dsn=database, names=(name,))
    sound.execute(change.encode())

    after = verify(Project(tmp_path), dsn=database, names=(name,))

    assert before.findings == ()
    assert [said in finding.message for finding in after.findings] == [True]
    assert {finding.rule for finding in after.findings} == {name}


def test_a_sound_database_passes_every_check_of_a_database(
    sound: psycopg.Connection[tuple[object, ...]], database: str, tmp_path: Path
) -> None:
    verified = verify(Project(tmp_path), dsn=database, names=("security", "integrity"))

    assert verified.findings == ()
    assert set(verified.ran) == set(BROKEN)


@pytest.mark.parametrize("name", [check.name for check in checks()])
def test_every_check_has_a_page(name: str) -> None:
    check = find(name)

    assert check is not None
    assert find(check.code) is check
    assert len(page(check)) > 100


def test_codes_and_names_are_used_once() -> None:
    assert len({check.code for check in checks()}) == len({check.name for check in checks()}) == len(checks())
