"""Names without a schema mean the same in `migrate` and in every replay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from aigym_db.access.test_database import open_test_database
from aigym_db.database.migration_session import open_session
from aigym_db.database.servers.databases import create_database
from aigym_db.database.servers.server import Throwaway
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.draft.new import new
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options
from aigym_db.model.source import Source
from aigym_db.project.config import Project, find
from aigym_db.project.migrations import migrations
from aigym_db.seeds.load import load
from aigym_db.verify.verify import verify

UNQUALIFIED = """-- migrate:up
create table users (id serial primary key, email text not null unique);
create view active_users as select id from users;
create function newest() returns int language sql as 'select max(id) from users';

-- migrate:down
drop function newest;
drop view active_users;
drop table users;
"""
SCHEMAS = """-- migrate:up
create schema shop;
create schema extensions;
create function extensions.made_elsewhere() returns int immutable language sql as 'select 1';

-- migrate:down
drop function extensions.made_elsewhere;
drop schema extensions;
drop schema shop;
"""
WIDER = """-- migrate:up
create table "Order" (id int primary key default made_elsewhere());

-- migrate:down
drop table "Order";
"""


KEYS = (
    "tenancy",
    "owner",
    "tenant",
    "parent",
    "mfa",
    "personal",
    "basis",
    "retention",
    "audit",
    "rows",
)


@pytest.fixture(scope="module", params=["embedded", "embedded:16"])
def any_server(request: pytest.FixtureRequest) -> Iterator[Throwaway]:
    with throwaway(request.param) as running:
        yield running


def card(table: str) -> str:
    """A valid card."""
    keys = {"tenancy": "global", "mfa": "none", "retention": "life", "audit": "none"}
    keys |= {"rows": "10"} | dict.fromkeys(("owner", "tenant", "parent", "personal", "basis"), "-")
    return f"-- shop.{table}: what it holds.\n" + "".join(f"-- {key}: {keys[key]}\n" for key in KEYS)


def project(root: Path, server: str, configuration: str, *files: str) -> Project:
    (root / "aigym-db.toml").write_text(f'server = "{server}"\n{configuration}')
    (root / "migrations").mkdir()
    for number, text in enumerate(files, 1):
        (root / "migrations" / f"{number:04d}_file.sql").write_text(text)
    return find(root)


def schemas(dsn: str) -> set[tuple[str, str]]:
    with psycopg.connect(dsn) as connection:
        query = "select schemaname, tablename from pg_tables where schemaname !~ '^(pg_|information|aigym)'"
        return {(schema, table) for schema, table in connection.execute(query)}


def errors(project: Project, dsn: str | None = None) -> list[str]:
    """The errors of every check that replays migrations."""
    done = verify(project, dsn=dsn, names=("history",))
    return [finding.message for finding in done.findings if finding.level == "error"]


def test_unqualified_names_migrate_and_verify(any_server: Throwaway, tmp_path: Path) -> None:
    files = project(tmp_path, any_server.name, "", UNQUALIFIED)
    dsn = create_database(any_server).dsn

    migrate(dsn, migrations(files), options=Options(search_path=files.search_path))

    assert schemas(dsn) == {("public", "users")}
    assert errors(files, dsn) == []


def test_the_configured_path_is_used_by_migrate_and_by_replays(any_server: Throwaway, tmp_path: Path) -> None:
    path = 'search_path = ["shop", "extensions"]\n'
    files = project(tmp_path, any_server.name, path, SCHEMAS, UNQUALIFIED, WIDER)
    dsn = create_database(any_server).dsn

    migrate(dsn, migrations(files), options=Options(search_path=files.search_path))

    assert schemas(dsn) == {("shop", "users"), ("shop", "Order")}
    assert errors(files, dsn) == []


def test_the_test_database_and_seeds_use_the_configured_path(any_server: Throwaway, tmp_path: Path) -> None:
    path = 'search_path = ["shop", "extensions"]\n'
    files = project(tmp_path, any_server.name, path, SCHEMAS, WIDER)
    (tmp_path / "seeds" / "test").mkdir(parents=True)
    (tmp_path / "seeds" / "test" / "orders.sql").write_text('insert into "Order" default values;')

    with open_test_database(files) as test_database, test_database.connection() as connection:
        assert connection.execute('select id from shop."Order"').fetchall() == [(1,)]
        with open_session(test_database.server.dsn(connection.info.dbname), files.session) as session:
            (loaded,) = load(session, "more", (Source("a.sql", 'insert into "Order" values (2)'),))

    assert loaded.rows_written == 1


def test_a_draft_continues_a_history_of_unqualified_names(any_server: Throwaway, tmp_path: Path) -> None:
    users = "create table shop.users (id int primary key);\n"
    templates = {
        "domains.toml": '[[domain]]\nname = "shop"\npurpose = "all"\nowner = "us"\n',
        "shop/_schema.sql.j2": "create schema shop;\n",
        "shop/users.sql.j2": card("users") + users,
        "shop/roles.sql.j2": card("roles") + users.replace("users", "roles"),
    }
    for file, text in templates.items():
        (tmp_path / "schema" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "schema" / file).write_text(text)
    history = (
        "-- migrate:up\ncreate schema shop;\ncreate table users (id int primary key);\n"
        "-- migrate:down\ndrop table users;\ndrop schema shop;\n"
    )
    files = project(tmp_path, any_server.name, 'search_path = ["shop"]\n', history)

    (path,) = new(files, "roles")

    assert "create table shop.roles" in path.read_text()
    assert "users" not in path.read_text()


def test_a_tenant_takes_the_place_of_the_first_schema() -> None:
    options = Options(search_path=("public", "extensions"), scope="tenant_7")

    assert options.session.search_path == ("tenant_7", "extensions")
