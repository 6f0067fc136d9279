"""Split + join = text: what PostgreSQL takes for a statement is sent as one, and nothing else is left out."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from pglast.parser import parse_sql, scan

from aigym_db.migrate.preflight import steps
from aigym_db.model.source import Source
from aigym_db.project.migrations import parse

BOUNDED = settings(deadline=None, derandomize=True, max_examples=200)

anything = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=12)
tag = st.sampled_from(["", "a", "body", "Ö", "_1"])


def string(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def escape_string(text: str) -> str:
    return "E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def unicode_string(text: str) -> str:
    return "U&'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def bit_string(text: str) -> str:
    return "X'" + text.encode().hex() + "'"


def dollars(text: str, name: str) -> str:
    return f"${name}${text.replace('$', '')}${name}$"


def name(text: str) -> str:
    return '"' + text.replace('"', '""') + 'x"'


def comment(text: str) -> str:
    """A block comment, with another one inside."""
    inner = text.replace("/", "").replace("*", "")
    return f"/* {inner} /* ; {inner} */ ' \" $$ */"


def line_comment(text: str) -> str:
    return "--x " + text.replace("\n", " ") + "\n"


literal = st.one_of(
    anything.map(string),
    anything.map(escape_string),
    anything.map(unicode_string),
    anything.map(bit_string),
    st.builds(dollars, anything, tag),
    anything.map(lambda text: f"1 as {name(text)}"),
    st.integers(0, 9).map(str),
)
between = st.one_of(st.just(" "), st.just("\n\t"), anything.map(comment), anything.map(line_comment))
noise = st.lists(st.one_of(between, st.just(";")), max_size=4).map("".join)
value = st.builds(lambda gap, text: f"{gap}{text}", between, literal)
select = st.lists(value, min_size=1, max_size=3).map(lambda values: "select" + " ,".join(values))
atomic = st.lists(select, min_size=1, max_size=3).map(
    lambda inner: f"create function f() returns text begin atomic {'; '.join(inner)}; end"
)
rule = st.lists(select, min_size=1, max_size=3).map(
    lambda inner: f"create rule r as on insert to t do also ({'; '.join(inner)})"
)
block = st.builds(lambda text, name: f"do {dollars(text, name)}", anything, tag)
statement = st.one_of(select, atomic, rule, block)


def split(text: str) -> tuple[str, ...]:
    source = Source("migrations/0001_x.sql", f"-- migrate:up\n{text}\n-- migrate:down irreversible: a test\n")
    return tuple(step.text for step in steps(parse(source, 1, "x").up))


@BOUNDED
@given(before=noise, pieces=st.lists(st.tuples(statement, noise), min_size=1, max_size=5))
@example("", [("select 1", "")])
@example("/* ; /* ; */ */", [("select E'\\';'", ";;"), ("select 'a'\n'b;'", "--x ;\n")])
@example("", [('select U&"d\\0061t;a"', ""), ("select $a$;$b$;$a$, $$;$$", "")])
@example("", [("create or replace procedure p() begin atomic; select case when true then 1 end; end", "")])
def test_every_statement_is_split_off_as_it_was_written(before: str, pieces: list[tuple[str, str]]) -> None:
    text = before + "".join(f"{statement};{gap}" for statement, gap in pieces)

    assert split(text) == tuple(statement for statement, _ in pieces)


@BOUNDED
@given(before=noise, pieces=st.lists(st.tuples(statement, noise), min_size=1, max_size=5))
def test_what_is_not_sent_is_comments_and_semicolons(before: str, pieces: list[tuple[str, str]]) -> None:
    text = before + "".join(f"{statement};{gap}" for statement, gap in pieces)
    rest = text

    for sent in split(text):
        gap, _, rest = rest.partition(sent)
        assert {token.name for token in scan(gap)} <= {"SQL_COMMENT", "C_COMMENT", "ASCII_59"}

    assert {token.name for token in scan(rest)} <= {"SQL_COMMENT", "C_COMMENT", "ASCII_59"}


@BOUNDED
@given(pieces=st.lists(statement, min_size=1, max_size=5))
def test_joined_again_it_means_what_it_meant(pieces: list[str]) -> None:
    text = ";\n".join(pieces)

    joined = ";\n".join(split(text))

    assert [raw.stmt for raw in parse_sql(joined)] == [raw.stmt for raw in parse_sql(text)]
