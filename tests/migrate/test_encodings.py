"""Databases in another encoding than the files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.errors import StatementFailed
from aigym_db.migrate.apply import migrate

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
