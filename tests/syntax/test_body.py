"""The bodies of functions and DO blocks."""

from __future__ import annotations

from pathlib import Path

import pytest

import aigym_db
from aigym_db.migrate.non_transactional.probe import may_commit
from aigym_db.model.source import Source
from aigym_db.syntax.body import Body, body_of, expressions
from aigym_db.syntax.parse import parse


@pytest.mark.parametrize(
    ("sql", "body"),
    [
        ("do $$ begin end $$", Body(" begin end ", "plpgsql", 5)),
        ("do language SQL 'select 1'", Body("select 1", "sql", 17)),
        ("do $$x''$$", Body("x''", "plpgsql", 5)),
        ("do 'it''s'", Body("it's", "plpgsql", None)),
        ("do language plpgsql", None),
        ("create function f() returns int language c as 'file', 'symbol'", None),
        ("create function f() returns int begin atomic select 1; end", None),
    ],
)
def test_a_quoted_body_is_found_with_its_language_and_index(sql: str, body: Body | None) -> None:
    (statement,) = parse(Source("a.sql", sql)).statements

    assert body_of(statement) == body


def test_a_do_block_without_a_body_cannot_commit() -> None:
    (statement,) = parse(Source("a.sql", "do language plpgsql")).statements

    assert not may_commit(statement.tree)


def test_expressions_of_plpgsql_have_their_kind_and_their_value_as_a_statement() -> None:
    block = """do $$ declare a int; begin
        a := f(b := 1);
        perform f(b := 2);
        if f(b := 3) then execute format('drop table %I', 'x'); end if;
        delete from t;
    end $$"""
    assert [(expression.kind, expression.sql) for expression in expressions(block)] == [
        ("assignment", "select  f(b := 1)"),
        ("statement", "SELECT f(b := 2)"),
        ("expression", "select f(b := 3)"),
        ("executed", "select format('drop table %I', 'x')"),
        ("statement", "delete from t"),
    ]


def test_one_module_reads_bodies() -> None:
    package = Path(aigym_db.__file__).parent
    readers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "parse_plpgsql" in path.read_text(encoding="utf-8")
    }
    assert readers == {"syntax/plpgsql.py"}
