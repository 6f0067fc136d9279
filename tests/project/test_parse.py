"""Parsing: every statement found where it stands, every error shown where it is, under any Unicode."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pglast.visitors import Visitor

from aigym_db.errors import BadSql
from aigym_db.model.source import Place, Source, Span
from aigym_db.syntax.parse import parse, parse_part

UNICODE = st.text(st.characters(exclude_characters="\0'\"$*/\\-", exclude_categories=["Cs"]), max_size=30)
NAME = st.text(st.characters(categories=["L", "Mn", "So"]), min_size=1, max_size=10)


def source(text: str) -> Source:
    return Source("a.sql", text)


def sql_error(text: str) -> BadSql:
    with pytest.raises(BadSql) as caught:
        parse(source(text))
    return caught.value


def place_of(text: str, index: int) -> Place:
    """Counted the simple way."""
    lines = text[:index].split("\n")
    return Place("a.sql", len(lines), len(lines[-1]) + 1, text.split("\n")[len(lines) - 1])


@settings(deadline=None)
@given(UNICODE, UNICODE, NAME, st.sampled_from(["\n", " ", "\r\n\t"]))
@example("😀", "e\u0301", "é", "\n")
@example("\u2028", "\x85", "ß\u0300", " ")
def test_the_place_of_an_error_is_right_under_any_unicode(
    comment: str, string: str, name: str, blank: str
) -> None:
    text = f'/* {comment} */{blank}select \'{string}\' as "{name}";{blank}select 1 as "{name}" wrong'

    assert sql_error(text).place == place_of(text, text.rindex("wrong"))


@settings(deadline=None)
@given(UNICODE, NAME)
def test_the_end_of_input_is_the_place_of_a_statement_that_breaks_off(string: str, name: str) -> None:
    text = f"select '{string}' as \"{name}\", ("

    assert sql_error(text + "\n \n").place == place_of(text, len(text))


@settings(deadline=None)
@given(UNICODE, UNICODE, NAME)
def test_locations_in_trees_are_characters_of_the_source(comment: str, string: str, name: str) -> None:
    text = f"/* {comment} */ select '{string}', a.\"{name}\" from \"{name}\".target where f('{string}') = b"
    locations: dict[str, int] = {}

    class Locations(Visitor):
        def visit_RangeVar(self, _: object, node: object) -> None:  # noqa: N802
            locations["relation"] = node.location  # type: ignore[attr-defined]

        def visit_FuncCall(self, _: object, node: object) -> None:  # noqa: N802
            locations["call"] = node.location  # type: ignore[attr-defined]

    Locations()(parse(source(text)).statements[0].tree)

    assert locations == {"relation": text.index(f'"{name}".target'), "call": text.index("f('")}


PIECES = st.one_of(
    st.just("select 1"),
    st.just("create function f() returns int language sql begin atomic select 1; select 2; end"),
    st.just("create rule r as on insert to t do (select 1; select 2)"),
    st.just("do $x$ begin perform ';'; end $x$"),
    st.just("select e'\\';', U&'\\0061' uescape '!', $$;$$"),
    UNICODE.map(lambda text: f"select '{text};' /* ; */ as \"x;y\""),
    UNICODE.map(lambda text: f'comment on table "t" is $é${text};$é$'),
)
GAPS = st.one_of(
    st.sampled_from([" ", "\n", "\t\r\n", "/* a /* nested; */ ; */", "-- x;\n", ";"]),
    UNICODE.map(lambda text: f"/*{text};*/"),
)


@settings(deadline=None)
@given(st.lists(st.tuples(GAPS, PIECES, GAPS)), GAPS)
def test_statements_and_the_gaps_between_them_are_the_text(
    parts: list[tuple[str, str, str]], last: str
) -> None:
    text = "".join(f"{before}{piece}{after};" for before, piece, after in parts) + last

    statements = parse(source(text)).statements

    assert [statement.text for statement in statements] == [piece for _, piece, _ in parts]
    ends = [0, *(statement.end for statement in statements)]
    starts = [*(statement.start for statement in statements), len(text)]
    gaps = [text[end:start] for end, start in zip(ends, starts, strict=True)]
    assert parse(source(" ".join(gaps))).statements == ()


@settings(deadline=None)
@given(UNICODE, UNICODE)
def test_a_part_is_parsed_alone_with_the_places_of_the_whole(before: str, after: str) -> None:
    before, after = before.replace("|", ""), after.replace("|", "")
    text = f"not ( sql {before} |select 1 from a.b;|{after} neither"
    start, end = text.index("|") + 1, text.rindex("|")

    (statement,) = parse_part(source(text), start, end)

    assert statement.text == "select 1 from a.b"
    assert statement.tree.fromClause[0].location == text.index("a.b")


def test_an_error_in_a_part_is_placed_in_the_whole() -> None:
    text = "-- é\n-- up\nselect 1 as 😀 wrong;\n-- down\n"

    with pytest.raises(BadSql) as caught:
        parse_part(source(text), text.index("select"), text.index("-- down"))

    assert caught.value.place == place_of(text, text.index("wrong"))


def test_an_error_in_rendered_sql_is_shown_in_the_template() -> None:
    template = "{{ x }}\nselct 1"
    spans = (Span(0, "t.j2", 0), Span(5, "t.j2", 7))
    rendered = Source("out.sql", "-- é\n\nselct 1", spans, {"t.j2": template})

    with pytest.raises(BadSql) as caught:
        parse(rendered)

    assert caught.value.place == Place("t.j2", 2, 1, "selct 1")


def test_an_index_into_the_text_places_a_node() -> None:
    (statement,) = parse(source("/* é */\n select x.y\n from x.z")).statements

    assert statement.place() == Place("a.sql", 2, 2, " select x.y")
    assert statement.place(statement.tree.fromClause[0].location) == Place("a.sql", 3, 7, " from x.z")


def test_a_word_that_would_become_a_keyword_does_not_move_the_place() -> None:
    text = "select 1 as uniéue, 2 as obéect, 'é' uniéue wrong"

    assert sql_error(text).place == place_of(text, text.rindex("wrong"))


@pytest.mark.parametrize("command", ["\\connect other", "\\i file.sql", "\\restrict abc", "\\! ls", "\\."])
def test_a_psql_command_is_called_one(command: str) -> None:
    error = sql_error(f"select 'é';\n{command}\nselect 2")

    assert "psql command" in error.message
    assert error.place == Place("a.sql", 2, 1, command)
    assert error.hint.startswith("Remove")


@pytest.mark.parametrize(
    ("text", "line", "column"), [("select 'é\0'", 1, 10), ("-- a\nselect '\ud800'", 2, 9)]
)
def test_characters_that_no_server_accepts_are_rejected_at_their_place(
    text: str, line: int, column: int
) -> None:
    place = sql_error(text).place

    assert place is not None
    assert (place.line, place.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("create table t (\n  a int\n  b int\n)", "a comma or a semicolon may be missing"),
        ("create table t (\n  a int,\n)", "Remove the comma"),
        ("select 1\ncreate table t ()", "with a semicolon"),
        ("create table user (a int)", '"user"'),
        ("select `a`", "double quotes"),
        ("select 'abc", "Close the string"),
        ("select $a$ $b$", "Close the body"),
        ('select "a', "Close the name"),
        ("select /* /* */", "Close the comment"),
        ("select (1", "Complete the last statement"),
        ("copy t from stdin;\n1\t2\n\\.", "INSERT"),
        ("select :name", "psql's"),
        ("select {{ x }}", "Render"),
        ("select\u00a01 from x y z", "no-break space (U+00A0)"),
        ("select “a b c”", "curly quote"),
    ],
)
def test_the_hint_mends_a_common_mistake(text: str, words: str) -> None:
    error = sql_error(text)

    assert words in error.hint
    assert error.hint[0].isupper()


def test_a_message_does_not_quote_a_whole_file() -> None:
    error = sql_error("select '" + "x" * 500 + "\n" * 500)

    assert len(error.message) < 200


def test_a_text_of_comments_holds_no_statement() -> None:
    assert parse(source("-- nothing\n/* here */;;\n")).statements == ()
