"""An error stands at its line and column of the file, counted in characters, whatever stands before it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aigym_db.database.servers.databases import create_database
from aigym_db.database.servers.server import Throwaway
from aigym_db.errors import AigymError, BadSql, StatementFailed
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.preflight import steps
from aigym_db.model.migration import Migration
from aigym_db.project.migrations import read

BOUNDED = settings(deadline=None, derandomize=True, max_examples=150)
FEWER = settings(BOUNDED, max_examples=40)
MARK = "§"
"""Stands in front of the mistake in a generated text, and nowhere else."""

# With what counts as several bytes, several UTF-16 units, no width, or a line for others than SQL.
awkward = st.sampled_from("😀𝔘é́ßñ漢字\u200d\u2028\u2029\x85\x0b\x0c\u00a0\t ;x-*/'\"$")
anything = st.characters(exclude_characters="\0\r\n§", exclude_categories=["Cs"])
words = st.lists(st.one_of(awkward, anything), max_size=12).map("".join)


def line_comment(text: str) -> str:
    return f"-- x{text}\n"


def block_comment(text: str) -> str:
    return "/* " + text.replace("*", "").replace("/", "") + "\n */ "


def string(text: str) -> str:
    return "'" + text.replace("'", "''") + "\n' as a, "


def name(text: str) -> str:
    return '1 as "' + text.replace('"', "")[:10] + 'x", '


def dollars(text: str) -> str:
    return "$a$" + text.replace("$", "") + "$a$, "


comments = st.lists(st.one_of(words.map(line_comment), words.map(block_comment)), max_size=3).map("".join)
values = st.lists(
    st.one_of(words.map(string), words.map(name), words.map(dollars), words.map(block_comment)), max_size=3
).map("".join)
breaks = st.sampled_from([b"\n", b"\r\n", b"\r"])
mark = st.sampled_from([b"", b"\xef\xbb\xbf"])


def file(text: str, line_end: bytes, byte_order_mark: bytes, options: str = "") -> tuple[Migration, str]:
    """The migration as it is read from disk, and where in it the mistake is."""
    whole = f"-- migrate:up{options}\n{text}\n-- migrate:down irreversible: a test\n"
    before = whole.partition(MARK)[0]
    content = byte_order_mark + whole.replace(MARK, "").encode().replace(b"\n", line_end)
    place = f"migrations/0001_x.sql:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
    with TemporaryDirectory() as folder:
        path = Path(folder) / "0001_x.sql"
        path.write_bytes(content)
        return read(path, "migrations/0001_x.sql"), place


@BOUNDED
@given(comments, values, breaks, mark)
@example("", "", b"\n", b"")
@example("-- x😀é\n", "'漢字\n' as a, ", b"\r\n", b"\xef\xbb\xbf")
def test_a_mistake_the_parser_finds(before: str, inside: str, line_end: bytes, start: bytes) -> None:
    migration, place = file(f"select 1;\n{before}select {inside}{MARK}) from t;", line_end, start)

    with pytest.raises(BadSql) as caught:
        steps(migration.up)

    assert str(caught.value.place) == place


@pytest.fixture(scope="module")
def failing_database(server: Throwaway) -> Iterator[str]:
    """A database in which nothing of what these tests run succeeds."""
    yield create_database(server).dsn


def migration_error(dsn: str, migration: Migration) -> AigymError:
    with pytest.raises(StatementFailed) as caught:
        migrate(dsn, (migration,))
    return caught.value


@FEWER
@given(comments, values, breaks, mark)
@example("-- x😀é\n", "'漢字\n' as a, ", b"\r\n", b"\xef\xbb\xbf")
def test_a_mistake_the_server_finds(
    failing_database: str, before: str, inside: str, line_end: bytes, start: bytes
) -> None:
    text = f"select 1;\n{before}select {inside}{MARK}nope;\nselect 2;"
    migration, place = file(text, line_end, start)

    assert str(migration_error(failing_database, migration).place) == place


@FEWER
@given(comments, values, breaks, mark)
@example("-- x😀é\n", "'漢字\n' as a, ", b"\r\n", b"\xef\xbb\xbf")
def test_a_mistake_the_server_finds_outside_a_transaction(
    failing_database: str, before: str, inside: str, line_end: bytes, start: bytes
) -> None:
    text = f"{before}select {inside}{MARK}nope;\nselect 2;"
    migration, place = file(text, line_end, start, " transaction:false")

    assert str(migration_error(failing_database, migration).place) == place


@FEWER
@given(comments, values, breaks, mark)
def test_a_mistake_that_has_no_place_of_its_own_is_at_its_statement(
    failing_database: str, before: str, inside: str, line_end: bytes, start: bytes
) -> None:
    text = f"select 1;\n{before}{MARK}select {inside} 1 / 0;\nselect 2;"
    migration, place = file(text, line_end, start)

    assert str(migration_error(failing_database, migration).place) == place


@FEWER
@given(comments, values, breaks, mark)
def test_the_caret_is_below_the_character(
    failing_database: str, before: str, inside: str, line_end: bytes, start: bytes
) -> None:
    migration, _ = file(f"{before}select {inside}{MARK}nope;", line_end, start)

    place = migration_error(failing_database, migration).place

    assert place is not None
    assert place.text[place.column - 1 :] == "nope;"
