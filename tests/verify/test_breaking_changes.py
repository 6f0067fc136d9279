"""Every check reports the change that it carries as its example, and nothing in a healthy project."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from aigym_db.database.servers.server import Server
from aigym_db.project.config import Project
from aigym_db.project.lock_file import freeze
from aigym_db.project.migrations import migrations
from aigym_db.syntax.check_file import BreakingChange
from aigym_db.verify.check import Check, checks, page
from aigym_db.verify.verify import verify

AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@b")
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

CASES = [
    pytest.param(check, change, id=f"{check.name}-{number}")
    for check in checks()
    for number, change in enumerate(check.breaking, 1)
]


@pytest.fixture
def sound(server: Server, database: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection to a database in which no check reports a problem."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create role verify_owner; create role verify_reader")
        connection.execute(SOUND)
        yield connection
        connection.execute("drop schema app cascade; drop role verify_owner; drop role verify_reader")


@pytest.fixture
def healthy(project: Project, migrated: str) -> Project:
    """A frozen project under version control, in which no check reports a problem."""
    freeze(project, migrations(project))
    for words in (["init", "-q", "-b", "main"], ["add", "."], [*AUTHOR, "commit", "-q", "-m", "frozen"]):
        subprocess.run(["git", "-C", str(project.root), *words], check=True, capture_output=True)
    return project


@pytest.mark.parametrize(("check", "change"), CASES)
def test_each_check_reports_its_breaking_change(
    request: pytest.FixtureRequest, database: str, tmp_path: Path, check: Check, change: BreakingChange
) -> None:
    if check.needs == "database":
        request.getfixturevalue("sound")
        project = Project(tmp_path)
    else:
        project = request.getfixturevalue("healthy")
    before = verify(project, dsn=database, names=(check.name,))
    carry_out(change.change, tmp_path, database)

    after = verify(project, dsn=database, names=(check.name,))

    assert before.findings == ()
    assert any(change.finding in finding.message for finding in after.findings)
    assert {finding.rule for finding in after.findings} == {check.name}


def test_every_check_has_a_breaking_change() -> None:
    assert [check.name for check in checks() if not check.breaking] == []


def carry_out(change: str, root: Path, dsn: str) -> None:
    """Change a file of the project or the database."""
    kind, _, rest = change.partition(" ")
    if kind not in ("edit", "write"):
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(change.encode())
        return
    file, _, text = rest.partition(": ")
    path = root / file
    if kind == "edit":
        old, _, new = text.partition(" -> ")
        assert path.read_text().count(old) == 1
        text = path.read_text().replace(old, new)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_sound_database_passes_every_check_of_a_database(
    sound: psycopg.Connection[tuple[object, ...]], database: str, tmp_path: Path
) -> None:
    verified = verify(Project(tmp_path), dsn=database, names=("security", "integrity"))

    assert verified.findings == ()
    assert set(verified.ran) == {check.name for check in checks() if check.needs == "database"}


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.name)
def test_every_check_has_a_page(check: Check) -> None:
    assert page(check).startswith(f"{check.code} {check.name} ({check.level})")
    assert len(page(check)) > 100


def test_codes_and_names_are_used_once() -> None:
    assert len({check.code for check in checks()}) == len({check.name for check in checks()}) == len(checks())
