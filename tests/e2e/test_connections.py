"""The selection of the database, and errors of connections."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from aigym_db.database.dsn import parameters

SECRET = "s3kret-Pa55"
COMMANDS = [("migrate",), ("status",), ("rollback",), ("seed", "development"), ("verify",)]
WRONG = {
    "host": ("host=nowhere.invalid", "Correct the name of the host"),
    "port": ("host=127.0.0.1 port=1", "Start the server, or correct the host and port."),
    "socket": ("host=/nowhere", "Start the server, or correct the host and port."),
    "user": ("user=missing_role", "Correct the user in the connection string, or create the role."),
    "database": ("dbname=nowhere", "Create the database, or correct its name"),
    "service": ("service=nowhere", "Correct the name of the service"),
}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_dsn_is_explained_and_no_password_is_shown(shop, database, wrong, command) -> None:
    values = {key: parameters(database)[key] for key in ("host", "port", "user", "dbname")}
    text, hint = WRONG[wrong]
    dsn = " ".join(f"{key}={value}" for key, value in values.items()) + f" {text} password={SECRET}"
    before = shop.contents()

    seen = shop("--database", dsn, *command)

    assert (seen.status, seen.out) == (4, "")
    assert re.match(r"error AIG-S001 No connection to database ", seen.err)
    assert f"  hint: {hint}" in seen.err
    assert SECRET not in seen.err
    assert shop.contents() == before


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgresql://app:{SECRET}@x@host/app",
        f"mysql://app:{SECRET}@host/app",
        f"app {SECRET}",
        f"postgresql://app:{SECRET}@host/app?no_such_option=1",
    ],
)
def test_an_invalid_dsn_is_rejected_without_being_quoted(shop, dsn: str) -> None:
    seen = shop("--database", dsn, "migrate")

    assert seen.status == 2
    assert "error AIG-P013 The connection string cannot be read." in seen.err
    assert "  hint: Write postgresql://user@host:port/database" in seen.err
    assert SECRET not in seen.err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_empty_database_option_is_rejected(shop, command) -> None:
    seen = shop("--database", "", *command)

    assert (seen.status, seen.out) == (2, "")
    assert "error AIG-P013 `--database` is empty" in seen.err


def test_a_wrong_password_is_not_shown(local_shop, up_once) -> None:
    port = parameters(up_once.dsn)["port"]

    seen = local_shop("--database", f"postgresql://postgres:{SECRET}@127.0.0.1:{port}/development", "status")

    assert seen.status == 4
    assert "password authentication failed" in seen.err
    assert "  hint: Check the user and its password" in seen.err
    assert SECRET not in seen.err


@pytest.mark.parametrize("words", [("up",), ("test",)])
def test_an_unused_database_option_is_rejected(shop, database, words) -> None:
    seen = shop("--database", database, *words)

    assert (seen.status, "`--database` cannot be used with this command" in seen.err) == (2, True)


def test_the_variables_of_libpq_select_the_database(shop, migrated, monkeypatch) -> None:
    target = parameters(migrated)
    monkeypatch.setenv("PGHOST", target["host"])
    monkeypatch.setenv("PGUSER", "postgres")
    monkeypatch.setenv("PGDATABASE", target["dbname"])
    monkeypatch.setenv("PGDATESTYLE", "German")

    seen = shop("status")

    assert seen.status == 0
    assert seen.out.startswith(f'database "{target["dbname"]}" on ')
    assert "2 applied, 0 pending" in seen.out


def test_a_service_selects_the_database(shop, migrated, monkeypatch, tmp_path: Path) -> None:
    target = parameters(migrated)
    services = tmp_path / "services"
    services.write_text(f"[mine]\nhost={target['host']}\nuser=postgres\ndbname={target['dbname']}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    monkeypatch.setenv("PGSERVICE", "mine")

    seen = shop("status")

    assert (seen.status, "2 applied, 0 pending" in seen.out) == (0, True)


SURROUNDINGS = {
    "DATABASE_URL": "postgresql://unknown@nowhere.invalid/nothing",
    "PGHOST": "nowhere.invalid",
    "PGHOSTADDR": "127.0.0.1",
    "PGPORT": "1",
    "PGSERVICE": "nowhere",
    "PGDATABASE": "nothing",
    "PGUSER": "unknown",
    "PGTARGETSESSIONATTRS": "standby",
    "PGCHANNELBINDING": "require",
    "PGDATESTYLE": "German",
    "PGOPTIONS": "-c search_path=nowhere",
}


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_the_local_server_is_used_independent_of_the_environment(
    local_shop, up_once, monkeypatch, name: str
) -> None:
    monkeypatch.setenv(name, SURROUNDINGS[name])

    up, url = local_shop("up"), local_shop("server", "url")

    assert (up.status, up_once.dsn in up.out) == (0, True)
    assert url.out.strip() == up_once.dsn


def test_an_address_in_the_environment_does_not_affect_temporary_servers(shop, monkeypatch) -> None:
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")

    assert shop("test").status == 0


@pytest.mark.parametrize("encoding", ["LATIN1", "UTF8"])
def test_text_is_stored_unchanged_with_every_client_encoding(
    shop, database, monkeypatch, encoding: str
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", encoding)
    name = parameters(database)["dbname"]
    shop.migration("0003_words", "create table app.words as select 'é🎉'::text as word;")
    shop("freeze")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"alter database {name} set client_encoding = 'LATIN1'".encode())

    seen = shop("--database", database, "migrate")

    with psycopg.connect(database, client_encoding="UTF8") as connection:
        assert connection.execute("select word from app.words").fetchone() == ("é🎉",)
    assert seen.status == 0
