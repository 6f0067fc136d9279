"""A script is read as psql reads it: what is a statement, what is quoted, what is data."""

from __future__ import annotations

import pglast
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pglast.parser import ParseError, split

from aigym_db.syntax.mask import sql_only
from aigym_db.syntax.non_sql import unquoted_lines
from aigym_db.syntax.split import segments

QUOTED = ["SCONST", "USCONST", "BCONST", "XCONST", "C_COMMENT"]
PIECES = [
    "a",
    " ",
    "'x'",
    "''",
    "E'\\''",
    "e'\\\\'",
    "date'\\'",
    '"q"',
    '"a""b"',
    "$$b$$",
    "$t$ ' $t$",
    "$$a$$$$\n-- migrate:up\n$$",
    "$$a$$E'\\'\n-- migrate:up\n'",
    "$é$ $$ $é$",
    "a$b$",
    "/* c /* d */ */",
    "/* ' */",
    "1",
    "é😀",
    "$1",
    "U&'z\\'",
    "-",
    "/",
    "-- it's\n",
    "'\n-- migrate:up\n'",
    "$$\n-- migrate:up\n$$",
    "/*\n-- migrate:up\n*/",
]
STATEMENTS = [
    "select 1",
    "insert into t values ('a;', E'\\';', $$;$$, \"a;\")",
    "INSERT into t values (1) -- ; it's",
    "-- a comment; it's\nupdate t set a = date'\\'",
    "delete from t where a = /* ; /* ; */ ' */ 1",
    "create function f() returns int begin atomic select case when true then 1 end; select 2; end",
    "create or replace rule r as on insert to t do (select 1; select 'x)'; select 2)",
    "create function g() returns int language sql as $$ begin atomic; select 1; $$",
    'create table atomic (rule int, "end" int)',
    "comment on table t is 'a;b'",
    "select $a$ ; $b$ $a$, $1, a$b$",
    "values ('a' \n 'b;')",
    "select E'a' -- x\n '\\';'",
    "",
    "/* ; */",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_our_scan_of_quotes_agrees_with_postgresqls(pieces: list[str]) -> None:
    text = "\n" + "\n,\n".join(pieces)
    tokens = pglast.parser.scan(text)
    inside = {
        index
        for token in tokens
        for index in range(token.start + 1, token.end + 1)
        if token.name in QUOTED or (token.name == "IDENT" and text[token.start] == '"')
    }
    starts = [index + 1 for index, character in enumerate(text) if character == "\n"]

    is_outside = unquoted_lines(text)

    assert [index for index in starts if not is_outside(index)] == [
        index for index in starts if index in inside
    ]


@settings(deadline=None)
@given(st.lists(st.sampled_from(STATEMENTS), max_size=12))
def test_our_statements_are_postgresqls(statements: list[str]) -> None:
    text = "\n;\n".join(statements)

    pieces = [text[segment.start : segment.end] for segment in segments(text, 0, len(text))]

    assert [piece for segment in pieces for piece in split(segment)] == list(split(text))


@settings(max_examples=300)
@given(st.lists(st.sampled_from([*"abE'\"$;-/* \né😀", "\\", "'';", "$$", "E'"]), max_size=25).map("".join))
def test_whatever_postgresql_splits_is_split_alike(text: str) -> None:
    try:
        expected = list(split(text, with_parser=False))
    except ParseError:
        return
    # A backslash outside of a string is for psql, and for PostgreSQL no SQL.
    commands = [segment for segment in segments(text, 0, len(text)) if segment.kind == "command"]

    pieces = [text[segment.start : segment.end] for segment in segments(text, 0, len(text))]

    assert (
        commands or [piece for segment in pieces for piece in split(segment, with_parser=False)] == expected
    )


DATA = [
    ("copy t from stdin;\na\t';\n\\.\nselect 1;", ["a\t';\n"]),
    ('COPY public."T;" (a, "b""(") FROM stdin WITH (format csv); -- go\n"x\n\\.\n', ['"x\n']),
    ("copy t from stdin;\n\\.\n", [""]),
    ("copy t from stdin;\n\\.", [""]),
    ("copy t from stdin;\n1\n\\.", ["1\n"]),
    ("copy t from stdin;\n\n\\.\n", ["\n"]),
    ("copy t from stdin;\n\\.x\n\\\\.\n \\.\n\\.\n", ["\\.x\n\\\\.\n \\.\n"]),
    ("select 1; copy t from stdin;\ncopy t from stdin;\n\\.\n", ["copy t from stdin;\n"]),
    ("/* copy t from stdin; */ copy /* a */ t -- b\n from stdin;\n1\n\\.\n", ["1\n"]),
    ("copy t from stdin;\n1\n\\.\ncopy t(a) from stdin;\n2\n\\.\n", ["1\n", "2\n"]),
]
NO_DATA = [
    "select 'copy t from stdin;\n1\n\\.\n'",
    "$$ ;copy t from stdin;\n1\n\\.\n$$",
    "-- copy t from stdin;\n\\.\n",
    "copy t from '/x';\n\\.\n",
    "copy t to stdout;\n\\.\n",
    "copy (select 'from stdin') to stdout;\n\\.\n",
    "select a copy from stdin;\n\\.\n",
    "copy t from stdin;\n1\n",
    "copy t from stdin\n\\.\n",
    "copy t from stdin; select 1;\n\\.\n",
]


@pytest.mark.parametrize(("text", "data"), DATA)
def test_data_is_what_stands_between_a_copy_and_its_end(text: str, data: list[str]) -> None:
    pieces = [segment.rows for segment in segments(text, 0, len(text)) if segment.rows]

    assert [text[rows.start : rows.end] for rows in pieces] == data


@pytest.mark.parametrize("text", NO_DATA)
def test_what_looks_like_data_and_is_none(text: str) -> None:
    assert [segment.rows for segment in segments(text, 0, len(text)) if segment.rows] == []


@pytest.mark.parametrize(("text", "data"), DATA)
def test_without_its_data_a_script_is_as_long_and_is_sql(text: str, data: list[str]) -> None:
    left = sql_only(text, 0, len(text))

    assert (len(left), left.count("\n")) == (len(text), text.count("\n"))
    assert len(split(left)) == len(list(segments(text, 0, len(text))))


def test_a_line_that_looks_like_a_marker_in_data_is_data() -> None:
    text = "copy t from stdin;\n-- migrate:down\nit's\n\\.\nselect '\n-- migrate:down\n';\n-- migrate:down\n"
    lines = [index for index in range(len(text)) if text.startswith("-- migrate", index)]

    is_outside = unquoted_lines(text)

    assert [is_outside(index) for index in lines] == [False, False, True]
