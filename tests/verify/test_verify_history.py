"""What `verify` says of migrations, LOCK, ledger and templates that do not agree."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from aigym_db.database.ledger import Event, checksum, create, record
from aigym_db.database.replay import replay, session_on
from aigym_db.errors import BadCommandLine
from aigym_db.project.config import Project, find
from aigym_db.project.lock import freeze
from aigym_db.project.migrations import migrations
from aigym_db.verify.run import Verified, verify

ROLES = """do $$ begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'history_owner') then
    create role history_owner;
  end if;
  if not pg_catalog.has_database_privilege('history_owner', pg_catalog.current_database(), 'create') then
    execute format('grant create on database %I to history_owner', current_database());
  end if;
end $$;
"""
REVOKED = """do $$ begin
  execute format('revoke create on database %I from history_owner', current_database());
end $$;
"""
SCHEMA = "create schema app;\n"
BIRDS = "create table app.birds (\n  id bigint primary key,\n  name text\n);\n"
CARD = """-- app.birds: what was seen.
-- domain: app
-- tenancy: global
-- owner: -
-- tenant: -
-- parent: -
-- mfa: none
-- personal: -
-- basis: -
-- retention: life
-- audit: none
-- rows: 10
"""
FILES = {
    "aigym-db.toml": 'owner = "history_owner"\n',
    "schema/domains.toml": '[[domain]]\nname = "app"\npurpose = "all"\nowner = "us"\n',
    "schema/_roles.sql.j2": ROLES,
    "schema/app/_schema.sql.j2": SCHEMA,
    "schema/app/birds.sql.j2": CARD + BIRDS,
    "migrations/0001_roles.sql": f"-- migrate:up role:none\n{ROLES}-- migrate:down role:none\n{REVOKED}",
    "migrations/0002_birds.sql": (
        f"-- migrate:up\n{SCHEMA}{BIRDS}-- migrate:down\ndrop table app.birds;\ndrop schema app;\n"
    ),
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project in which everything agrees."""
    for file, text in FILES.items():
        write(tmp_path, file, text)
    return find(tmp_path)


@pytest.fixture
def migrated(project: Project, database: str) -> str:
    """The DSN of a database that has run the project's migrations."""
    with session_on(database) as connection:
        create(connection)
        for migration in migrations(project):
            replay(connection, [migration.up], owner=project.owner)
            version, name, sum_ = migration.version, migration.name, checksum(migration)
            record(connection, Event("apply", version, name, sum_, "up", sql=migration.up.source.text))
    return database


def write(root: Path, file: str, text: str) -> None:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def edit(project: Project, file: str, old: str, new: str) -> None:
    text = (project.root / file).read_text(encoding="utf-8")
    assert old in text
    write(project.root, file, text.replace(old, new))


def said(verified: Verified) -> str:
    return "\n".join(f"{finding.place}: {finding.message}" for finding in verified.findings)


def test_a_project_in_which_everything_agrees_passes(project: Project, migrated: str) -> None:
    freeze(project, migrations(project))

    verified = verify(project, dsn=migrated, names=("history",))

    assert said(verified) == ""
    assert set(verified.ran) == {
        "lock",
        "lock-grows",
        "ledger",
        "drift",
        "state-is-history",
        "round-trip",
        "plain-owner",
        "contract-still-needed",
    }


STATE = "state-is-history"


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "expected"),
    [
        pytest.param(
            STATE,
            "schema/app/birds.sql.j2",
            "name text",
            "name varchar(9)",
            "schema/app/birds.sql.j2:15:3: column app.birds.name: type is `text` after the migrations and "
            "`character varying(9)` in the templates.",
            id="a column's type",
        ),
        pytest.param(
            STATE,
            "schema/app/_schema.sql.j2",
            "app;",
            "app; create schema more;",
            "schema more is there in the templates, and not after the migrations.",
            id="a schema more",
        ),
        pytest.param(
            STATE,
            "schema/_roles.sql.j2",
            "create role history_owner",
            "create role history_owner bypassrls",
            "schema/_roles.sql.j2:2:67: role history_owner: bypass_rls is `false` after",
            id="a role that may do more",
        ),
        pytest.param(
            STATE,
            "schema/app/birds.sql.j2",
            "name text",
            "name nope",
            'schema/app/birds.sql.j2:15:8: schema/app/birds.sql.j2: type "nope" does not exist',
            id="a template that fails",
        ),
        pytest.param(
            "round-trip",
            "migrations/0002_birds.sql",
            "drop schema app;",
            "",
            "migrations/0002_birds.sql:8:1: "
            "schema app is there after the down of 0002 birds, and not before its up.",
            id="a down that forgets something",
        ),
        pytest.param(
            "round-trip",
            "migrations/0002_birds.sql",
            "drop table app.birds",
            "drop table app.bird",
            'migrations/0002_birds.sql:8:1: migrations/0002_birds.sql: table "bird" does not exist',
            id="a down that fails",
        ),
        pytest.param(
            "plain-owner",
            "migrations/0001_roles.sql",
            "-- migrate:down",
            "alter role history_owner createdb;\n-- migrate:down",
            "migrations/0001_roles.sql:10:1: migrations/0001_roles.sql: permission denied to alter role",
            id="something only a superuser may",
        ),
        pytest.param(
            "plain-owner",
            "migrations/0002_birds.sql",
            "create table app.birds",
            "do $$ begin if (select usesuper from pg_catalog.pg_user where usename = session_user) then "
            "create table app.extra (); end if; end $$;\ncreate table app.birds",
            "table app.extra is there when a superuser migrates, and not when a plain member of",
            id="something else for a superuser",
        ),
    ],
)
def test_what_does_not_agree_is_said_with_object_fact_and_place(
    project: Project, name: str, file: str, old: str, new: str, expected: str
) -> None:
    edit(project, file, old, new)

    verified = verify(project, names=(name,))

    assert expected in said(verified)
    assert {finding.level for finding in verified.findings} == {"error"}


def test_what_one_down_leaves_behind_is_said_once(project: Project) -> None:
    edit(project, "migrations/0002_birds.sql", "drop schema app;", "")
    write(
        project.root,
        "migrations/0003_more.sql",
        "-- migrate:up\ncreate table app.more ();\n-- migrate:down\n",
    )
    write(project.root, "migrations/0004_last.sql", "-- migrate:up\nselect 1;\n-- migrate:down\nselect 1;\n")
    edit(project, "migrations/0002_birds.sql", "drop table app.birds;", "drop table app.birds, app.more;")

    messages = [finding.message for finding in verify(project, names=("round-trip",)).findings]

    assert [message for message in messages if "table app.more" in message] == [
        "table app.more is there after the down of 0003 more, and not before its up."
    ]
    assert [message for message in messages if message.startswith("schema app ")] == [
        "schema app is there after the down of 0002 birds, and not before its up."
    ]


def test_the_way_down_ends_at_what_cannot_be_undone(project: Project) -> None:
    up = "-- migrate:up\ncreate table app.more ();\n-- migrate:down irreversible: data is gone\n"
    write(project.root, "migrations/0003_more.sql", up)
    last = "-- migrate:up\ncreate table app.last ();\n-- migrate:down\ndrop table app.last;\n"
    write(project.root, "migrations/0004_last.sql", last)

    assert verify(project, names=("round-trip",)).findings == ()


def test_an_edited_frozen_file_is_found(project: Project) -> None:
    freeze(project, migrations(project))
    edit(project, "migrations/0002_birds.sql", "name text", "name varchar")

    assert "migrations/0002_birds.sql was edited after it was frozen" in said(
        verify(project, names=("lock",))
    )


def test_a_lock_that_was_edited_with_its_file_is_found_by_the_main_branch(project: Project) -> None:
    git(project, "init", "-q", "-b", "main")
    freeze(project, migrations(project))
    git(project, "add", ".")
    git(project, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "frozen")
    untouched = verify(project, names=("lock-grows",))
    edit(project, "migrations/0002_birds.sql", "name text", "name varchar")
    (project.root / "migrations" / "LOCK").unlink()
    freeze(project, migrations(project))

    verified = verify(project, names=("lock", "lock-grows"))

    assert untouched.findings == ()
    assert [finding.rule for finding in verified.findings] == ["lock-grows"]
    assert "has another line in the place of `0002_birds.sql`, which main has frozen" in said(verified)


def test_a_lock_that_lost_its_end_is_found(project: Project) -> None:
    git(project, "init", "-q", "-b", "main")
    freeze(project, migrations(project))
    git(project, "add", ".")
    git(project, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "frozen")
    lock = project.root / "migrations" / "LOCK"
    lock.write_text(lock.read_text().splitlines(keepends=True)[0])

    assert "LOCK lacks `0002_birds.sql`" in said(verify(project, names=("lock-grows",)))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            lambda project: edit(project, "migrations/0002_birds.sql", "name text", "name varchar"),
            "migrations/0002_birds.sql is not what the database ran as 0002 birds.",
            id="edited",
        ),
        pytest.param(
            lambda project: (project.root / "migrations/0002_birds.sql").unlink(),
            "The database has run 0002 birds, which is not in migrations/.",
            id="gone",
        ),
        pytest.param(
            lambda project: (project.root / "migrations/0002_birds.sql").rename(
                project.root / "migrations/0002_fowl.sql"
            ),
            "0002 birds, which the database has run, was renamed: its text is now migrations/0002_fowl.sql.",
            id="renamed",
        ),
    ],
)
def test_files_and_ledger_that_do_not_agree_are_found(
    project: Project, migrated: str, change: Callable[[Project], None], expected: str
) -> None:
    change(project)

    assert expected in said(verify(project, dsn=migrated, names=("ledger",)))


@pytest.mark.parametrize(
    ("change", "expected", "level"),
    [
        (
            "alter table app.birds disable trigger all; alter table app.birds add column size int",
            "column app.birds.size is there in the database, and not after the migrations.",
            "error",
        ),
        ("grant select on app.birds to public", "table app.birds: acl is", "error"),
        (
            "drop table app.birds",
            "table app.birds is there after the migrations, and not in the database.",
            "error",
        ),
        (
            "do $$ begin execute format('alter database %I set jit = off', current_database()); end $$",
            "setting everyone in this database is there in the database",
            "warning",
        ),
    ],
)
def test_drift_is_found(project: Project, migrated: str, change: str, expected: str, level: str) -> None:
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute(change.encode())

    verified = verify(project, dsn=migrated, names=("drift",))

    assert expected in said(verified)
    assert level in {finding.level for finding in verified.findings}


def test_migrations_that_have_not_run_yet_are_no_drift(project: Project, migrated: str) -> None:
    write(
        project.root,
        "migrations/0003_more.sql",
        "-- migrate:up\ncreate table app.more ();\n-- migrate:down\n",
    )

    assert verify(project, dsn=migrated, names=("drift", "ledger")).findings == ()


def test_what_there_is_nothing_for_is_skipped_and_said(tmp_path: Path) -> None:
    write(tmp_path, "migrations/0001_one.sql", "-- migrate:up\nselect 1;\n-- migrate:down\nselect 1;\n")

    verified = verify(find(tmp_path))

    assert verified.skipped == {
        "ledger": "there is no database to look at",
        "drift": "there is no database to look at",
        "state-is-history": "the project holds no templates",
    }
    assert "round-trip" in verified.ran


@pytest.mark.parametrize(
    ("name", "hint"), [("round-trips", "Write `round-trip`"), ("ledger", "Name a database with --database")]
)
def test_asking_for_what_cannot_run_is_an_error(project: Project, name: str, hint: str) -> None:
    with pytest.raises(BadCommandLine) as refusal:
        verify(project, names=(name,))

    assert hint in refusal.value.hint


def git(project: Project, *words: str) -> None:
    subprocess.run(["git", "-C", str(project.root), *words], check=True, capture_output=True)
