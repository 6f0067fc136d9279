"""Replay of SQL files, and the places of their errors."""

from __future__ import annotations

import pytest

from aigym_db.database.catalog import snapshot
from aigym_db.database.replay import built, replay, scratch
from aigym_db.database.servers.server import Server
from aigym_db.errors import StatementFailed
from aigym_db.model.catalog import Key
from aigym_db.model.migration import Part
from aigym_db.model.session import MigrationSession
from aigym_db.model.source import Source, Span

SESSION = MigrationSession()


def part(text: str, *, transaction: bool = True, role: str | None = None) -> Part:
    return Part(Source("a.sql", text), 0, len(text), transaction, role=role)


def test_parts_run_in_order_as_their_role(server: Server) -> None:
    parts = [
        part(
            "do $$ begin create role replay_owner; exception when duplicate_object then null; end $$;",
            role="none",
        ),
        part("create schema a authorization replay_owner;", role="none"),
        part("create table a.b (id int); create index b_idx on a.b (id);"),
        part("drop index concurrently a.b_idx; create table a.c (id int);", transaction=False),
    ]

    facts = built(server, parts, MigrationSession("replay_owner")).facts

    assert facts[Key("table", "a.b")]["owner"] == "replay_owner"
    assert facts[Key("table", "a.c")]["owner"] == "replay_owner"
    assert Key("index", "a.b_idx") not in facts


@pytest.mark.parametrize("transaction", [True, False])
@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("select 1;\n-- ä€😀\nselect 'ä', nope;", 3, 13),
        ("select 'ä€😀';\n\n  do $$ begin raise exception 'ö'; end $$;\nselect 2", 3, 3),
        ("select 1;\nselect ;;\nselec 3;", 3, 1),
        ("create schema x;\ncreate table x.y (id int);\n\ninsert into x.y values (1), ('z');", 4, 30),
    ],
)
def test_an_error_has_its_exact_place(
    server: Server, text: str, line: int, column: int, transaction: bool
) -> None:
    with scratch(server, SESSION) as connection, pytest.raises(StatementFailed) as raised:
        replay(connection, [part(text, transaction=transaction)])

    place = raised.value.place
    assert place is not None
    assert (place.line, place.column) == (line, column)


def test_the_place_is_in_the_template_when_the_text_was_rendered(server: Server) -> None:
    spans = (Span(0, "t.sql.j2", 0), Span(10, "macro.sql.j2", 5))
    originals = {"t.sql.j2": "select 1;\n", "macro.sql.j2": "{# #}select nope;"}
    source = Source("t.sql.j2", "select 1;\nselect nope;", spans, originals)

    with scratch(server, SESSION) as connection, pytest.raises(StatementFailed) as raised:
        replay(connection, [Part(source, 0, len(source.text))])

    assert str(raised.value.place) == "macro.sql.j2:1:13"


def test_a_failed_part_is_rolled_back(server: Server) -> None:
    with scratch(server, SESSION) as connection:
        before = snapshot(connection)
        with pytest.raises(StatementFailed):
            replay(connection, [part("create schema gone; select 1 / 0;")])

        assert snapshot(connection) == before


def test_an_error_at_commit_is_reported(server: Server) -> None:
    text = (
        "create table public.a (id int primary key);\n"
        "create table public.b (id int references public.a deferrable initially deferred);\n"
        "insert into public.b values (1);"
    )

    with (
        scratch(server, SESSION) as connection,
        pytest.raises(StatementFailed, match="violates foreign key"),
    ):
        replay(connection, [part(text)])
