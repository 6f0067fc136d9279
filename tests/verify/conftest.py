"""A project without differences, a database with its migrations applied, and edits of its files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from aigym_db.database.ledger import Event, checksum, create, record
from aigym_db.database.migration_session import open_session
from aigym_db.database.replay import replay
from aigym_db.project.config import Project, find
from aigym_db.project.migrations import migrations
from aigym_db.verify.verify import Verified
from tests.support.cards import card

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
FILES = {
    "aigym-db.toml": 'owner = "history_owner"\n',
    "schema/domains.toml": '[[domain]]\nname = "app"\npurpose = "all"\nowner = "us"\n',
    "schema/_roles.sql.j2": ROLES,
    "schema/app/_schema.sql.j2": SCHEMA,
    "schema/app/birds.sql.j2": card("app.birds") + BIRDS,
    "migrations/0001_roles.sql": f"-- migrate:up role:none\n{ROLES}-- migrate:down role:none\n{REVOKED}",
    "migrations/0002_birds.sql": (
        f"-- migrate:up\n{SCHEMA}{BIRDS}-- migrate:down\ndrop table app.birds;\ndrop schema app;\n"
    ),
}


Write = Callable[[str, str], None]
Edit = Callable[[str, str, str], None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of the project: `write("migrations/0003_more.sql", text)`."""

    def written(file: str, text: str) -> None:
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    return written


@pytest.fixture
def edit(tmp_path: Path, write: Write) -> Edit:
    """Replace text in a file: `edit(file, old, new)`."""

    def edited(file: str, old: str, new: str) -> None:
        text = (tmp_path / file).read_text(encoding="utf-8")
        assert old in text
        write(file, text.replace(old, new))

    return edited


@pytest.fixture
def project(tmp_path: Path, write: Write) -> Project:
    """A project without differences."""
    for file, text in FILES.items():
        write(file, text)
    return find(tmp_path)


@pytest.fixture
def migrated(project: Project, database: str) -> str:
    """The DSN of a database with the project's migrations applied."""
    with open_session(database, project.session) as connection:
        create(connection)
        for migration in migrations(project):
            replay(connection, [migration.up], owner=project.owner)
            version, name, sum_ = migration.version, migration.name, checksum(migration)
            record(connection, Event("apply", version, name, sum_, "up", sql=migration.up.source.text))
    return database


@pytest.fixture
def findings_text() -> Callable[[Verified], str]:
    """Return the findings of a result, one line each, with their places."""
    return lambda verified: "\n".join(f"{finding.place}: {finding.message}" for finding in verified.findings)
