"""IF NOT EXISTS over an INVALID index, in every execution mode."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.errors import AigymError, StatementFailed
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options

COPY = "copy t (a, b) from stdin;\n{}\\.\n"
pytestmark = pytest.mark.usefixtures("in_small_pieces")


def rows(count: int) -> str:
    return "".join(f"insert into t values ({number}, 'é😀; it''s');\n" for number in range(1, count + 1))


def count(connection) -> int:
    return connection.execute("select count(*) from t").fetchone()[0]


def invalid_index(connection) -> None:
    connection.execute("create table t (a int, b text); insert into t values (1), (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute("create unique index concurrently ti on t (a)")


SKIPPING = "create unique index if not exists ti on t (a);\n"
WAYS = {
    "inside": [("", SKIPPING)],
    "behind others in a message": [
        ("", "create table o1 ();"),
        ("", "create table o2 ();"),
        ("", SKIPPING + "create table u ();"),
    ],
    "long": [("", rows(30) + SKIPPING + rows(30))],
    "with data": [("", "create table u ();" + COPY.format("5\tx\n") + SKIPPING)],
    "with data behind it": [("", SKIPPING + COPY.format("5\tx\n"))],
    "with data, and later a file": [("", COPY.format("5\tx\n") + SKIPPING), ("", "create table o2 ();")],
    "behind a long comment": [("", SKIPPING.replace("index", f"/* {'so ' * 200}/* */ */ index"))],
    "outside": [(" transaction:false", SKIPPING)],
    "outside, concurrently": [
        (" transaction:false", "create unique index concurrently if not exists ti on t (a);")
    ],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("transaction", ["migration", "run"])
def test_no_file_is_applied_over_an_invalid_index(
    database, other, write, way: str, transaction: Literal["migration", "run"]
) -> None:
    line = tuple(write(number, text, options=option) for number, (option, text) in enumerate(WAYS[way], 1))
    invalid_index(other)
    usable = "select indisvalid from pg_index where indexrelid = 'ti'::regclass"

    with suppress(AigymError):
        migrate(database, line, options=Options(transaction=transaction))

    here = {row.version for row in ledger.applied(other)} if ledger.exists(other) else set()
    over = {migration.version for migration in line if " ti on " in migration.up.text}
    assert not (here & over) or other.execute(usable).fetchone() == (True,)


@pytest.mark.parametrize("way", ["long", "with data", "with data behind it"])
def test_a_skipped_index_is_reported_at_its_statement(database, other, write, way: str) -> None:
    ((_, text),) = WAYS[way]
    invalid_index(other)

    with pytest.raises(StatementFailed, match=r"the index public\.ti is INVALID") as error:
        migrate(database, (write(1, text),))

    place = error.value.place
    assert place.text[place.column - 1 :] + "\n" == SKIPPING[:-2] + ";\n"
    assert count(other) == 2


def test_a_usable_index_may_be_skipped_in_a_large_file(database, other, write) -> None:
    other.execute("create table t (a int, b text); create index ti on t (a)")
    text = "create index if not exists ti on t (a); drop index ti;\n" + rows(30) + COPY.format("31\tx\n")
    text += "create index /* so */ if not exists tj on t (b); drop index tj;"

    migrate(database, (write(1, text),))

    assert count(other) == 31
