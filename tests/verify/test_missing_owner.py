"""A project whose owner no file creates: replays on temporary servers create the role first."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from aigym_db.access.test_database import open_test_database
from aigym_db.database.ledger import Event, checksum, create, record
from aigym_db.database.migration_session import open_session
from aigym_db.database.replay import creates_owner, replay
from aigym_db.draft.new import new
from aigym_db.project.config import Project, find
from aigym_db.project.migrations import migrations
from aigym_db.verify.context import VerifyContext
from aigym_db.verify.verify import verify
from tests.support.cards import card
from tests.verify.conftest import BIRDS, SCHEMA

OWNER = "missing_owner"
BIRDS_MIGRATION = f"-- migrate:up\n{SCHEMA}{BIRDS}-- migrate:down\ndrop table app.birds;\ndrop schema app;\n"
_DATABASE_OWNER = (
    "do $$ begin execute format('alter database %%I owner to %s', current_database()); end $$;\n"
)


@pytest.fixture
def project(tmp_path: Path, write) -> Project:
    write("aigym-db.toml", f'owner = "{OWNER}"\n')
    write("migrations/0001_birds.sql", BIRDS_MIGRATION)
    return find(tmp_path)


@pytest.fixture
def with_templates(tmp_path: Path, project: Project, write) -> Project:
    write("schema/domains.toml", '[[domain]]\nname = "app"\npurpose = "all"\nowner = "us"\n')
    write("schema/app/_schema.sql.j2", SCHEMA)
    write("schema/app/birds.sql.j2", card("app.birds") + BIRDS)
    return find(tmp_path)


def test_the_history_is_verified_with_an_owner_that_no_migration_creates(project, findings_text) -> None:
    verified = verify(project, names=("history",))

    assert findings_text(verified) == ""
    assert {"round-trip", "non-superuser-owner", "contract-still-needed"} <= set(verified.ran)


def test_templates_and_migrations_are_compared_with_an_owner_that_neither_creates(
    with_templates, findings_text
) -> None:
    assert findings_text(verify(with_templates, names=("state-is-history",))) == ""


def test_a_first_migration_is_drafted_without_the_owner(with_templates) -> None:
    (with_templates.root / "migrations/0001_birds.sql").unlink()

    (path,) = new(with_templates, "birds")

    assert "create table app.birds" in path.read_text()
    assert "role" not in path.read_text()


def test_the_test_database_belongs_to_the_owner(project) -> None:
    with open_test_database(project) as running, running.connection() as connection:
        owners = connection.execute(
            "select tableowner from pg_catalog.pg_tables where schemaname = 'app' "
            "union select datdba::regrole::text from pg_catalog.pg_database "
            "where datname = current_database()"
        ).fetchall()

    assert owners == [(OWNER,)]


def test_the_owner_of_the_server_is_no_drift(project, database, findings_text) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"create role {OWNER} login createdb".encode())
        connection.execute(f"alter database {connection.info.dbname} owner to {OWNER}".encode())
    try:
        with open_session(database, project.session) as session:
            create(session)
            for migration in migrations(project):
                replay(session, [migration.up], owner=OWNER)
                sql = migration.up.source.text
                record(
                    session,
                    Event("apply", migration.version, migration.name, checksum(migration), "up", sql=sql),
                )

        assert findings_text(verify(project, dsn=database, names=("drift",))) == ""
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(
                f"reassign owned by {OWNER} to postgres; drop owned by {OWNER}; drop role {OWNER}".encode()
            )


@pytest.mark.parametrize(
    "statements",
    [
        "create role /* owner */ missing_owner;",
        "do $$ begin execute $q$create role $q$ || 'missing_owner'; end $$;",
        "create role missing_admin; alter role missing_admin rename to missing_owner;",
        'create role"missing_owner";',
    ],
)
def test_the_owner_that_a_migration_creates_is_not_created_before(
    project, write, findings_text, statements: str
) -> None:
    write(
        "migrations/0001_role.sql",
        f"-- migrate:up role:none\n{statements}\n{_DATABASE_OWNER % 'missing_owner'}"
        f"-- migrate:down role:none\n{_DATABASE_OWNER % 'postgres'}drop role missing_owner;\n",
    )
    (project.root / "migrations/0001_birds.sql").rename(project.root / "migrations/0002_birds.sql")

    assert findings_text(verify(project, names=("round-trip",))) == ""
    assert not _is_created_by_the_replay(project)


@pytest.mark.parametrize(
    "statements",
    [
        "-- An administrator runs before: create role missing_owner login;",
        "do $$ begin execute format('create role %I', 'missing_reader'); end $$;",
        "grant pg_monitor to missing_owner; revoke pg_monitor from missing_owner;",
        "do $$ begin perform 'missing_owner'::regrole; end $$;",
    ],
)
@pytest.mark.parametrize("options", ["role:none", "role:none transaction:false"])
def test_the_owner_that_no_migration_creates_is_created_when_it_is_needed(
    project, write, findings_text, statements: str, options: str
) -> None:
    write(
        "migrations/0001_role.sql",
        f"-- migrate:up {options}\n{statements}\n-- migrate:down {options}\n"
        f"drop role if exists missing_reader;\n",
    )
    (project.root / "migrations/0001_birds.sql").rename(project.root / "migrations/0002_birds.sql")

    assert findings_text(verify(project, names=("round-trip",))) == ""
    assert _is_created_by_the_replay(project)


def _is_created_by_the_replay(project: Project) -> bool:
    with VerifyContext(project) as context:
        return creates_owner(context.history)
