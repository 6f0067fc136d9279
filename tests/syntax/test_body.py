"""The bodies of functions and DO blocks."""

from __future__ import annotations

import pytest

from aigym_db.migrate.non_transactional.probe import may_commit
from aigym_db.model.source import Source
from aigym_db.syntax.body import Body, body_of
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
