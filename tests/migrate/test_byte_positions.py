"""Error positions in SQL_ASCII databases, where the server counts bytes."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from aigym_db.errors import PartiallyApplied, StatementFailed
from aigym_db.migrate.apply import migrate

IN_FUNCTION = """create function f() returns int language plpgsql as $$
begin
  return (select length('é😀') from nowhere);
end $$;
select 'é😀' || f();"""

LONG = "insert into a values ('é😀');\n" * 30


@pytest.fixture
def bytewise(server) -> Iterator[str]:
    """The DSN of a fresh SQL_ASCII database."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("create database bytewise encoding 'SQL_ASCII' locale 'C' template template0")
        yield server.dsn("bytewise")
        connection.execute("drop database bytewise with (force)")


@pytest.mark.parametrize("options", ["", " transaction:false"])
@pytest.mark.parametrize(
    "body",
    [
        "select 'é😀' || nope;",
        "create table ä (x int);\nselect 'é'; select 'é' || '😀' || nope;",
        "do $$ declare x text; begin\n  x := 'é😀';\n  x := 'é😀' || nope;\nend $$;",
        f"create table a (x text);\n{LONG}select 'é' || nope;",
    ],
    ids=["one statement", "the last of several", "a DO block", "a long file"],
)
def test_the_caret_marks_the_error_position(bytewise, write, body: str, options: str) -> None:
    with pytest.raises((StatementFailed, PartiallyApplied)) as error:
        migrate(bytewise, (write(1, f"-- é😀\n{body}", options=options),))

    place = error.value.place
    assert place.text[place.column - 1 :].startswith("nope")


def test_the_caret_marks_the_position_in_the_query_of_a_function(bytewise, write) -> None:
    with pytest.raises(StatementFailed) as error:
        migrate(bytewise, (write(1, IN_FUNCTION),))

    lines = error.value.detail.splitlines()
    shown = next(number for number, line in enumerate(lines) if line.startswith("QUERY"))
    assert lines[shown + 1].index("^") == lines[shown].index("nowhere")
