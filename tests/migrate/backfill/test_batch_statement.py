"""What a backfill's statement may be, and what is made of it."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aigym_db.errors import BadMigration, ForbiddenStatement
from aigym_db.migrate.backfill.statement import read
from aigym_db.migrate.preflight import steps
from aigym_db.migrate.session.message import Message
from aigym_db.model.source import Source
from aigym_db.project.migrations import parse


def change(text: str):
    source = Source("migrations/0001_a.sql", f"-- migrate:up batch:10\n{text}\n-- migrate:down\n")
    migration = parse(source, 1, "a")
    return read(migration, migration.up, steps(migration.up))


@pytest.mark.parametrize(
    ("text", "says", "at"),
    [
        ("", "holds none", ""),
        ("-- nothing", "holds none", "-- nothing"),
        ("update o set n = 1 where n = 0; analyze o;", "holds 2", "analyze"),
        ("update o set n = 1 where n = 0; update p set n = 1 where n = 0", "holds 2", "update p"),
        ("insert into o select 1;", "Only an UPDATE or a DELETE", "insert"),
        ("merge into o using p on true when matched then delete;", "Only an UPDATE or a DELETE", "merge"),
        ("select 1 from o where false", "Only an UPDATE or a DELETE", "select"),
        ("update o set n = 1;", "needs a WHERE", "update"),
        ("update o set n = (select 1 where true);", "needs a WHERE", "update"),
        ("delete from o using p", "needs a WHERE", "delete"),
        ("update o set n = 1 where current of c", "no cursor", "update"),
        ("update o set n = 1 where n = 0 returning n + 7", "returns", "n + 7"),
        ("delete from o where n = 0 returning *", "returns", "*"),
        ("update o set t = now() where n = 0 and t < now()", "its own current time", "now()"),
        (
            "update o set t = now() where t < (select pg_catalog.Clock_Timestamp())",
            "its own current time",
            "pg_cat",
        ),
        ("update o set t = now() where t < current_date - 1", "its own current time", "current_date"),
        ("update o set n = 1 where age(t) > '1 day'", "its own current time", "age"),
        (
            "with gone as (delete from p returning id) update o set n = 1 where id in (select id from gone)",
            "`gone` changes rows",
            "gone",
        ),
    ],
)
def test_what_cannot_be_made_in_batches_is_refused_with_its_place(text, says, at) -> None:
    with pytest.raises(ForbiddenStatement, match=says) as refusal:
        change(text)

    place = refusal.value.place
    assert place.text[place.column - 1 :].startswith(at)
    assert refusal.value.hint


@pytest.mark.parametrize("options", ["batch:0", "batch:-1", "batch:5k", "batch:", "batch", "batch:12345678"])
def test_a_number_of_rows_that_is_none_is_refused(options) -> None:
    with pytest.raises(BadMigration, match="`batch` cannot be") as refusal:
        parse(Source("a.sql", f"-- migrate:up {options}\n-- migrate:down\n"), 1, "a")

    assert refusal.value.place.column == 15


@pytest.mark.parametrize("options", ["batch:5 transaction:false", "transaction:true batch:5"])
def test_a_batch_is_a_transaction_whatever_else_is_said(options) -> None:
    with pytest.raises(BadMigration, match="each batch is a separate transaction"):
        parse(Source("a.sql", f"-- migrate:up {options}\n-- migrate:down\n"), 1, "a")


def test_the_text_that_is_sent() -> None:
    found = change("update app.o as x set n = 1 from p where (x.n = 0) -- so\n;")

    assert " ".join(found.batch(3, 9).text.split()) == (
        "with changed as ( update app.o as x set n = 1 from p where "
        "\"x\".ctid >= '(3,0)' and \"x\".ctid < '(9,0)' and ( (x.n = 0) ) "
        "returning ( (x.n = 0) ) is true as again ) "
        "select count(*), count(*) filter (where again) from changed"
    )
    assert " ".join(found.left().text.split()) == (
        'select exists (select from "app"."o" as "x", p where ( (x.n = 0) ))'
    )


@pytest.mark.parametrize(
    "text",
    [
        "delete from o where t < now() - interval '1 year'",
        "update o set t = now() where n = 0 and current_user = 'a' and age('2020-01-01', t) > '1 day'",
        "/* é€😀 */ update /* é */ o set t = now() where n = 0 -- now()",
    ],
)
def test_a_time_that_changes_nothing_twice_may_be_asked(text) -> None:
    found = change(text)

    assert found.place_of_condition().text[found.place_of_condition().column - 1 :][:1] in "tn"
    assert found.left().text.startswith('select exists (select from "o" where')


def test_what_only_says_only_asks_only() -> None:
    found = change("with a as (select 1) delete from only o using p where o.id = p.id")

    assert " ".join(found.left().text.split()) == (
        'with a as (select 1) select exists (select from only "o", p where ( o.id = p.id ))'
    )


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0'\r/*"), max_size=20), st.integers(0, 9))
@example("target", 0)
@example("n + 1", 0)
def test_every_character_of_the_file_is_found_where_it_stands(name, first) -> None:
    # Each of the words has a character in it that no name has.
    marked, other, target = "n/**/+ 1", "p/**/as x", "x.a/**/is true"
    text = f"update o set n = '{name}', marked = {marked}\n"
    text += f"from {other} where n = '{name}' and {target} /* '{name}' */"
    found = change(text)
    sent = Message()
    sent.add("begin")
    sent.add(found.batch(first, first + 1))
    sent.add(found.left())
    places = []

    for word in (marked, other, target):
        at = sent.text.find(word)
        while at >= 0:
            step, index = sent.index(at + 1)
            places.append((word, step.place(index)))
            at = sent.text.find(word, at + 1)

    # The tables stand in the question for the rest, too, the condition in that and in the RETURNING.
    assert Counter(word for word, _ in places) == {marked: 1, other: 2, target: 3}
    assert all(place.text[place.column - 1 :].startswith(word) for word, place in places)


def test_what_stands_in_no_file_is_shown_where_it_was_put_in() -> None:
    found = change("update o set n = 1 where n = 0")
    step = found.batch(0, 1)

    place = step.place(step.text.find(".ctid"))

    assert place.text[place.column - 1 :] == "n = 0"
