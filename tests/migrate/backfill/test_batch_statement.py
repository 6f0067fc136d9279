"""The statements that a backfill accepts, and the statements derived from them."""

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
    ("text", "message", "token"),
    [
        ("", "contains none", ""),
        ("-- nothing", "contains none", "-- nothing"),
        ("update o set n = 1 where n = 0; analyze o;", "contains 2", "analyze"),
        ("update o set n = 1 where n = 0; update p set n = 1 where n = 0", "contains 2", "update p"),
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
def test_a_statement_that_cannot_run_in_batches_is_rejected_with_its_place(text, message, token) -> None:
    with pytest.raises(ForbiddenStatement, match=message) as error:
        change(text)

    place = error.value.place
    assert place.text[place.column - 1 :].startswith(token)
    assert error.value.hint


@pytest.mark.parametrize("options", ["batch:0", "batch:-1", "batch:5k", "batch:", "batch", "batch:12345678"])
def test_an_invalid_number_of_rows_is_rejected(options) -> None:
    with pytest.raises(BadMigration, match=r"`batch` (cannot be|has no value)") as error:
        parse(Source("a.sql", f"-- migrate:up {options}\n-- migrate:down\n"), 1, "a")

    assert error.value.place.column == 15


@pytest.mark.parametrize("options", ["batch:5 transaction:false", "transaction:true batch:5"])
def test_batch_and_transaction_exclude_each_other(options) -> None:
    with pytest.raises(BadMigration, match="each batch is a separate transaction"):
        parse(Source("a.sql", f"-- migrate:up {options}\n-- migrate:down\n"), 1, "a")


def test_the_derived_statements() -> None:
    statement = change("update app.o as x set n = 1 from p where (x.n = 0) -- so\n;")

    assert " ".join(statement.batch(3, 9).text.split()) == (
        "with changed as ( update app.o as x set n = 1 from p where "
        "\"x\".ctid >= '(3,0)' and \"x\".ctid < '(9,0)' and ( (x.n = 0) ) "
        "returning ( (x.n = 0) ) is true as again ) "
        "select count(*), count(*) filter (where again) from changed"
    )
    assert " ".join(statement.remaining().text.split()) == (
        'select count(distinct ("x".tableoid, "x".ctid)) from "app"."o" as "x", p where ( (x.n = 0) )'
    )


@pytest.mark.parametrize(
    "text",
    [
        "delete from o where t < now() - interval '1 year'",
        "update o set t = now() where n = 0 and current_user = 'a' and age('2020-01-01', t) > '1 day'",
        "/* é€😀 */ update /* é */ o set t = now() where n = 0 -- now()",
    ],
)
def test_a_condition_on_the_time_that_later_batches_only_extend_is_accepted(text) -> None:
    statement = change(text)

    assert statement.place_of_condition().text[statement.place_of_condition().column - 1 :][:1] in "tn"
    assert statement.remaining().text.startswith('select count(*) from "o" where')


def test_only_applies_to_the_query_for_remaining_rows() -> None:
    statement = change("with a as (select 1) delete from only o using p where o.id = p.id")

    assert " ".join(statement.remaining().text.split()) == (
        'with a as (select 1) select count(distinct ("o".tableoid, "o".ctid)) from only "o", p '
        "where ( o.id = p.id )"
    )


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0'\r/*"), max_size=20), st.integers(0, 9))
@example("target", 0)
@example("n + 1", 0)
def test_every_piece_of_the_file_has_its_place_in_the_file(name, first) -> None:
    # `name` cannot contain these texts: its alphabet has no slash.
    value, other, condition = "n/**/+ 1", "p/**/as x", "x.a/**/is true"
    text = f"update o set n = '{name}', marked = {value}\n"
    text += f"from {other} where n = '{name}' and {condition} /* '{name}' */"
    statement = change(text)
    sent = Message()
    sent.add("begin")
    sent.add(statement.batch(first, first + 1))
    sent.add(statement.remaining())
    places = []

    for piece in (value, other, condition):
        position = sent.text.find(piece)
        while position >= 0:
            step, index = sent.step_at(position + 1)
            places.append((piece, step.place(index)))
            position = sent.text.find(piece, position + 1)

    # The query for remaining rows repeats the tables and the condition; RETURNING repeats the condition.
    assert Counter(piece for piece, _ in places) == {value: 1, other: 2, condition: 3}
    assert all(place.text[place.column - 1 :].startswith(piece) for piece, place in places)


def test_generated_text_has_the_place_of_the_next_piece() -> None:
    statement = change("update o set n = 1 where n = 0")
    step = statement.batch(0, 1)

    place = step.place(step.text.find(".ctid"))

    assert place.text[place.column - 1 :] == "n = 0"
