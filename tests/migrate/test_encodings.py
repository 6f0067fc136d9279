"""Databases with another encoding than the files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.errors import StatementFailed
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options

TABLE = "create table t (a int, b text);\n"
pytestmark = pytest.mark.usefixtures("in_small_pieces")


@pytest.fixture
def encoded(server) -> Iterator[Callable[[str], str]]:
    """The DSN of a database in an encoding: `encoded("LATIN1")`."""
    with closing(psycopg.connect(server.dsn("postgres"), autocommit=True)) as admin:

        def made(encoding: str) -> str:
            admin.execute(f"create database encoded encoding '{encoding}' template template0 locale 'C'")
            return server.dsn("encoded")

        yield made
        admin.execute("drop database if exists encoded")


@pytest.mark.parametrize("long", [0, 40])
def test_a_character_without_an_equivalent_in_the_database_encoding_has_its_position(
    encoded, write, long: int
) -> None:
    text = TABLE + "insert into t values (1, 'é');\n" * long + "select 'ü', '€';"

    with pytest.raises(StatementFailed, match="LATIN1") as error:
        migrate(encoded("LATIN1"), (write(1, text),))

    assert (error.value.place.line, error.value.place.column) == (4 + long, 14)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "UTF8"])
@pytest.mark.parametrize("long", [1, 40])
def test_a_database_in_another_encoding_stores_the_text_of_the_file(
    encoded, write, encoding: str, long: int
) -> None:
    dsn = encoded(encoding)
    data = "copy t (a, b) from stdin;\n2\té\n\\.\n"
    migration = write(1, TABLE + "insert into t values (1, 'é');\n" * long + data)

    migrate(dsn, (migration,))
    again = migrate(dsn, (migration,))

    with psycopg.connect(dsn, client_encoding="utf8") as connection:
        values = connection.execute("select distinct b, octet_length(b) from t").fetchall()
        stored = ledger.stored_sql(connection, 1)
    assert values == [("é", 1 if encoding == "LATIN1" else 2)]
    assert (stored, again) == (migration.up.source.text, ())


@pytest.mark.parametrize(
    "setting",
    ["client_encoding', 'LATIN1", "client_encoding', 'SQL_ASCII", "standard_conforming_strings', 'off"],
)
@pytest.mark.parametrize("long", [0, 40])
@pytest.mark.parametrize("whole", ["run", "migration"])
def test_a_function_cannot_change_the_client_encoding_of_a_run(
    encoded, write, setting: str, long: int, whole
) -> None:
    changes = f"select set_config('{setting}', true);\n"
    rows = r"insert into t values (1, 'Zürich C:\dir\new');"
    dsn, padding = encoded("UTF8"), "select 1;\n" * long
    line: tuple[Any, ...] = (write(1, TABLE + changes), write(2, rows), write(3, f"{changes}{padding}{rows}"))
    line = line if whole == "migration" or not long else (write(1, f"{TABLE}{changes}{padding}{rows}"),)

    migrate(dsn, line, options=Options(transaction=whole))

    with psycopg.connect(dsn, client_encoding="utf8") as connection:
        values = connection.execute("select distinct b from t").fetchall()
        stored = [ledger.stored_sql(connection, migration.version) for migration in line]
    assert values == [(r"Zürich C:\dir\new",)]
    assert stored == [migration.up.source.text for migration in line]


def test_data_after_a_change_of_the_client_encoding_is_stored_unchanged(encoded, write) -> None:
    changes = "select set_config('client_encoding', 'LATIN1', true);\n"
    dsn = encoded("UTF8")
    migration = write(
        1, f"{TABLE}{changes}copy t (a, b) from stdin;\n2\tZürich\n\\.\ninsert into t values (1, 'Zürich');"
    )

    migrate(dsn, (migration,))

    with psycopg.connect(dsn, client_encoding="utf8") as connection:
        assert connection.execute("select distinct b from t").fetchall() == [("Zürich",)]
        assert ledger.stored_sql(connection, 1) == migration.up.source.text


def test_a_non_transactional_statement_after_a_change_of_the_client_encoding_is_unchanged(
    encoded, write
) -> None:
    changes = "select set_config('client_encoding', 'LATIN1', false);\n"
    dsn = encoded("UTF8")
    text = f"{TABLE}{changes}insert into t values (1, 'Zürich');"

    migrate(dsn, (write(1, text, options=" transaction:false"),))

    with psycopg.connect(dsn, client_encoding="utf8") as connection:
        assert connection.execute("select b from t").fetchall() == [("Zürich",)]
