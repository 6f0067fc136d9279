"""Parts of PL/pgSQL functions and their places."""

from __future__ import annotations

import pytest
from pglast.parser import ParseError

from aigym_db.syntax.plpgsql import FunctionPart, function_parts, parse_function, raises_error


def parts(body: str, head: str = "create function f(a int) returns void") -> list[FunctionPart]:
    return list(function_parts(f"{head} language plpgsql as $f${body}$f$", body))


def test_each_part_is_at_its_place() -> None:
    body = """
    declare n int := 1 + a;
    begin
      if a > 1 then n := n + 1; elsif a > 2 then return; end if;
      while a > 3 loop perform f(a); exit when a > 4; end loop;
      for n in select 1 loop delete from t where t.a = n; end loop;
    end"""

    texts = {(part.kind, body[part.start : part.end]) for part in parts(body)}

    assert texts == {
        ("value", "1 + a"),
        ("condition", "a > 1"),
        ("assignment", "n := n + 1"),
        ("condition", "a > 2"),
        ("condition", "a > 3"),
        ("perform", "perform f(a)"),
        ("statement", "select 1"),
        ("statement", "delete from t where t.a = n"),
        ("condition", "a > 4"),
    }


@pytest.mark.parametrize(
    ("statement", "into"),
    [
        ("select x into strict n from t where a = 1", "into strict n"),
        ("select x from t where a = 1 into n", "into n"),
        ("update t set a = 1 where a = 2 returning a into n", "into n"),
    ],
)
def test_into_is_not_part_of_the_text_of_a_statement(statement: str, into: str) -> None:
    body = f"declare n int; begin {statement}; end"

    (part,) = parts(body)

    assert (body[part.start : part.end], part.into) == (statement, into)
    assert "into" not in part.text


def test_equal_texts_are_found_one_after_the_other() -> None:
    body = "begin if a > 1 then return; end if; if a > 1 then return; end if; end"

    first, second = parts(body)

    assert first.start < second.start
    assert body[second.start : second.end] == "a > 1"


def test_a_text_inside_another_is_not_found() -> None:
    body = "declare ok boolean; begin perform f('if ok then'); if ok then return; end if; end"

    condition = next(part for part in parts(body) if part.kind == "condition")

    assert condition.start == body.rindex("ok then")


@pytest.mark.parametrize(
    ("statement", "raises"),
    [
        ("if a > 1 then raise exception 'x'; end if", "then"),
        ("if a > 1 then null; else raise exception 'x'; end if", "else"),
        ("if a > 1 then raise notice 'x'; end if", ""),
        ("if a > 1 then perform f(1); end if", ""),
    ],
)
def test_the_branch_that_raises_an_error_is_known(statement: str, raises: str) -> None:
    condition = next(part for part in parts(f"begin {statement}; end") if part.kind == "condition")

    assert condition.raises == raises


@pytest.mark.parametrize(
    ("head", "declaration"),
    [
        ("create function f(a app.mood) returns app.mood", ""),
        ("create function f(a int) returns setof app.t", ""),
        ("create procedure f(a app.t.b%type)", ""),
        (
            "create function f(a int) returns void",
            'declare m constant app.mood := \'x\'; n "App"."T"%rowtype;',
        ),
        ("create function f(a int) returns void", "declare r app.t; s app.t.a%type;"),
    ],
)
def test_types_of_other_schemas_do_not_prevent_parsing(head: str, declaration: str) -> None:
    body = f"{declaration} begin if a is null then raise exception 'x'; end if; end"

    conditions = [part for part in parts(body, head) if part.kind == "condition"]

    assert [body[part.start : part.end] for part in conditions] == ["a is null"]


def test_fields_of_a_variable_with_a_row_type_can_be_assigned() -> None:
    body = "declare r app.t; begin r.a := 1; end"

    assert [part.text for part in parts(body)] == ["r.a := 1"]


def test_a_body_that_is_not_pl_pgsql_is_rejected() -> None:
    with pytest.raises(ParseError):
        parse_function("create function f() returns void language plpgsql as $f$begin if; end$f$")


def test_raise_exception_is_found_in_nested_blocks_only_if_it_is_an_error() -> None:
    head = "create function f() returns void language plpgsql as "

    assert raises_error(f"{head}$f$begin begin raise exception 'x'; end; end$f$")
    assert not raises_error(f"{head}$f$begin raise notice 'x'; end$f$")
