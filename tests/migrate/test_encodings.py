"""Databases in another encoding than the files."""

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
def test_a_character_that_the_database_cannot_store_has_its_place(encoded, write, long: int) -> None:
    text = TABLE + "insert into t values (1, 'é');\n" * long + "select 'ü', '€';"

    with pytest.raises(StatementFailed, match="LATIN1") as refusal:
        migrate(encoded("LATIN1"), (write(1, text),))

    assert (refusal.value.place.line, refusal.value.place.column) == (4 + long, 14)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "UTF8"])
@pytest.mark.parametrize("long", [1, 40])
def test_a_database_in_another_encoding_keeps_what_the_file_says(
    encoded, write, encoding: str, long: int
) -> None:
    dsn = encoded(encoding)
    data = "copy t (a, b) from stdin;\n2\té\n\\.\n"
    migration = write(1, TABLE + "insert into t values (1, 'é');\n" * long + data)

    migrate(dsn, (migration,))
    again = migrate(dsn, (migration,))

    with psycopg.connect(dsn, client_encoding="utf8") as connection:
        found = connection.execute("select distinct b, octet_length(b) from t").fetchall()
        stored = ledger.stored_sql(connection, 1)
    assert found == [("é", 1 if encoding == "LATIN1" else 2)]
    assert (stored, again) == (migration.up.source.text, ())


@pytest.mark.parametrize(
    "setting",
    ["client_encoding', 'LATIN1", "client_encoding', 'SQL_ASCII", "standard_conforming_strings', 'off"],
)
@pytest.mark.parametrize("long", [0, 40])
@pytest.mark.parametrize("whole", ["run", "migration"])
def test_how_a_text_is_read_is_not_changed_on_the_way_by_a_function(
    encoded, write, setting: str, long: int, whole
) -> None:
    changes = f"select set_config('{setting}', true);\n"
    rows = r"insert into t values (1, 'Zürich C:\dir\new');"
    dsn, padding = encoded("UTF8"), "select 1;\n" * long
    line: tuple[Any, ...] = (write(1, TABLE + changes), write(2, rows), write(3, f"{changes}{padding}{rows}"))
    line = line if whole == "migration" or not long else (write(1, f"{TABLE}{changes}{padding}{rows}"),)

    migrate(dsn, line, options=Options(transaction=whole))

    with psycopg.connect(dsn, client_encoding="utf8") as connection:
        found = connection.execute("select distinct b from t").fetchall()
        stored = [ledger.stored_sql(connection, one.version) for one in line]
    assert found == [(r"Zürich C:\dir\new",)]
    assert stored == [one.up.source.text for one in line]


def test_data_behind_such_a_function_is_read_as_it_stands(encoded, write) -> None:
    changes = "select set_config('client_encoding', 'LATIN1', true);\n"
    dsn = encoded("UTF8")
    migration = write(
        1, f"{TABLE}{changes}copy t (a, b) from stdin;\n2\tZürich\n\\.\ninsert into t values (1, 'Zürich');"
    )

    migrate(dsn, (migration,))

    with psycopg.connect(dsn, client_encoding="utf8") as connection:
        assert connection.execute("select distinct b from t").fetchall() == [("Zürich",)]
        assert ledger.stored_sql(connection, 1) == migration.up.source.text


def test_a_statement_alone_is_read_as_it_stands_behind_such_a_function(encoded, write) -> None:
    changes = "select set_config('client_encoding', 'LATIN1', false);\n"
    dsn = encoded("UTF8")
    text = f"{TABLE}{changes}insert into t values (1, 'Zürich');"

    migrate(dsn, (write(1, text, options=" transaction:false"),))

    with psycopg.connect(dsn, client_encoding="utf8") as connection:
        assert connection.execute("select b from t").fetchall() == [("Zürich",)]
