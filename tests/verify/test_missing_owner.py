"""A project whose owner no file creates: replays on temporary servers create the role first."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from aigym_db.access.test_database import open_test_database
from aigym_db.database.ledger import Event, checksum, create, record
from aigym_db.database.migration_session import open_session
from aigym_db.database.replay import replay
from aigym_db.draft.new import new
from aigym_db.project.config import Project, find
from aigym_db.project.migrations import migrations
from aigym_db.project.replay_session import replay_session
from aigym_db.verify.verify import verify
from tests.support.cards import card
from tests.verify.conftest import BIRDS, SCHEMA

OWNER = "missing_owner"
BIRDS_MIGRATION = f"-- migrate:up\n{SCHEMA}{BIRDS}-- migrate:down\ndrop table app.birds;\ndrop schema app;\n"


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
    ("sql", "created"),
    [
        ("create role missing_owner nologin", True),
        ('CREATE  USER "missing_owner"', True),
        ("do $$ begin execute format('create role %I', 'missing_owner'); end $$", True),
        ("do $$ begin execute 'create role ' || quote_ident(n); end $$", True),
        ("create role missing_owner_2", False),
        ("create role reader; grant reader to missing_owner", False),
        ("create user mapping for missing_owner server s", False),
        ("select 1", False),
    ],
)
def test_replays_create_the_owner_unless_a_migration_may(project, write, sql: str, created: bool) -> None:
    write("migrations/0002_role.sql", f"-- migrate:up\n{sql};\n-- migrate:down\nselect 1;\n")

    assert replay_session(project).create_owner is not created


def test_the_owner_is_not_created_if_a_template_does(with_templates, write) -> None:
    write("schema/_roles.sql.j2", "{% for name in ['missing_owner'] %}create role {{ name }};{% endfor %}")

    assert not replay_session(with_templates).create_owner
