"""Which database is meant, and that a password is never repeated."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aigym_db.database.connect import connect, resolve, shown, startup_options
from aigym_db.database.dsn import parameters, without_secrets
from aigym_db.errors import BadCommandLine, CannotConnect

SECRET = "s3cr3tword"


@pytest.fixture(autouse=True)
def remove_libpq_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PG") or name == "DATABASE_URL"]:
        monkeypatch.delenv(name)


def test_a_specified_dsn_precedes_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://from-environment/x")

    assert resolve("postgresql://given/x") == "postgresql://given/x"


def test_database_url_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://from-environment/x")

    assert resolve(None) == "postgresql://from-environment/x"


def test_without_a_dsn_the_defaults_of_libpq_apply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.example.org")
    monkeypatch.setenv("PGDATABASE", "app")
    monkeypatch.setenv("PGUSER", "deploy")

    assert resolve(None) == ""
    assert shown("") == 'database "app" on db.example.org:5432 as deploy'


@pytest.mark.parametrize("named", ["service=prod", "postgresql://?service=prod", ""])
def test_a_service_file_is_read_like_by_libpq(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "services"
    file.write_text("[prod]\nhost=db.example.org\nport=6000\ndbname=app\nuser=deploy\noptions=-c geqo=off\n")
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    monkeypatch.setenv("PGSERVICE", "prod")

    assert shown(named) == 'database "app" on db.example.org:6000 as deploy'
    assert parameters(named)["options"] == "-c geqo=off"
    assert os.environ["PGSERVICE"] == "prod"


@pytest.mark.parametrize(
    ("dsn", "read"),
    [
        ("postgres://h/x", "postgresql://h/x"),
        ("postgresql+psycopg://h/x", "postgresql://h/x"),
        ("postgresql+asyncpg://h/x", "postgresql://h/x"),
        (" postgresql://h/x\n", "postgresql://h/x"),
        ("host=h dbname=x", "host=h dbname=x"),
    ],
)
def test_every_form_of_a_dsn_is_accepted(dsn: str, read: str) -> None:
    assert resolve(dsn) == read


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgresql://u:a@{SECRET}@h/x",
        f"postgresql://u:a/{SECRET}@h/x",
        f"postgresql://u:{SECRET}%@h/x",
        f"postgresql://u:{SECRET}@h:port/x?what=1",
        f"postgresql://u:{SECRET}@h/x?no_such_word=1",
        f"postgresql://u:{SECRET}@[::1/x",
        f"mysql://u:{SECRET}@h/x",
        f"host=h password=a {SECRET}",
        f"host=h password=a {SECRET}=b",
        f"host=h password='{SECRET}",
        f"host=h password=a\\ {SECRET} nonsense=1",
        f"u:{SECRET}@h/x",
        f"postgresql://u:{SECRET}/x",
    ],
)
def test_an_invalid_dsn_is_rejected_without_repeating_the_password(dsn: str) -> None:
    with pytest.raises(BadCommandLine) as raised:
        resolve(dsn)

    text = f"{raised.value.message} {raised.value.detail} {raised.value.hint}"
    assert SECRET not in text
    assert raised.value.hint.startswith("Write ")


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "1,x"])
def test_an_invalid_port_is_rejected_before_a_host_is_resolved(port: str) -> None:
    with pytest.raises(BadCommandLine) as raised:
        resolve(f"host=no-such-host.invalid port={port}")

    assert raised.value.detail == "The port is not a number from 1 to 65535."


@pytest.mark.parametrize("port", ["1", "65535", "", "5432,5433", "' 5432'"])
def test_every_port_of_libpq_is_accepted(port: str) -> None:
    assert resolve(f"host=h port={port}") == f"host=h port={port}"


def test_an_invalid_port_of_the_environment_has_a_hint_about_the_port(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGPORT", "none")

    with pytest.raises(CannotConnect) as raised:
        connect("host=127.0.0.1 dbname=x")

    assert raised.value.hint.startswith("Correct the port")


def test_a_missing_equals_sign_is_named() -> None:
    with pytest.raises(BadCommandLine) as raised:
        resolve(f"dbname=x {SECRET}")

    assert raised.value.detail == 'missing "=" after … in connection info string'


def test_an_unknown_parameter_of_a_url_is_named() -> None:
    with pytest.raises(BadCommandLine) as raised:
        resolve("postgresql://u@h/x?schema=public")

    assert '"schema"' in raised.value.detail


@pytest.mark.parametrize(
    ("dsn", "description"),
    [
        (f"postgresql://deploy:{SECRET}@db:6000/app", 'database "app" on db:6000 as deploy'),
        (f"host=/run/pg user=deploy dbname=app password={SECRET}", 'database "app" on /run/pg as deploy'),
        ("postgresql://deploy@db", 'database "deploy" on db:5432 as deploy'),
        ("postgresql://deploy@a:1,b:2/app", 'database "app" on a,b:1,2 as deploy'),
    ],
)
def test_the_description_of_a_database(dsn: str, description: str) -> None:
    assert shown(dsn) == description


def test_the_password_is_removed_from_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", SECRET)

    assert without_secrets(f"could not use {SECRET}", "host=h") == "could not use ***"


@pytest.mark.parametrize(
    ("given", "value", "options"),
    [
        ("", "5", "-c work_mem=5"),
        ("-c geqo=off", "5", "-c geqo=off -c work_mem=5"),
        ("", "a b", "-c work_mem=a\\ b"),
        ("", "a\\b", "-c work_mem=a\\\\b"),
    ],
)
def test_startup_options_follow_the_specified_ones(given: str, value: str, options: str) -> None:
    assert startup_options(given, {"work_mem": value}) == options
