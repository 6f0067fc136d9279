"""A draft is decided from two catalogs and the templates, without a server."""

from __future__ import annotations

import pytest

from aigym_db.draft.classify import Changes, classify
from aigym_db.draft.draft import draft
from aigym_db.draft.selection import Selection, select_statements
from aigym_db.draft.targets import Subject, belongs_to, matches
from aigym_db.draft.texts import concurrently, or_replace, template_statements
from aigym_db.errors import CannotDraft
from aigym_db.model.catalog import Catalog, Key
from aigym_db.model.source import Source
from aigym_db.syntax.parse import parse

TABLE, BIRDS = Key("table", "app.birds"), Subject("class", "app.birds")
POLICY, INDEX = Key("policy", "app.birds.read"), Key("index", "app.birds_idx")
FUNCTION = Key("function", "app.size(integer)")
READ = {"mode": "permissive", "command": "select", "roles": "public", "using": "true"}
NOTHING = Catalog({})


def catalog(**kinds: dict[str, str]) -> Catalog:
    keys = {"table": TABLE, "policy": POLICY, "index": INDEX, "function": FUNCTION}
    return Catalog({keys[kind]: facts for kind, facts in kinds.items()})


def function(returns: str, body: str) -> dict[str, str]:
    return {"definition": f"create function app.size(a int) returns {returns}\n LANGUAGE sql\nas '{body}'"}


def selection(changes: Changes, past: str = "", only: tuple[str, ...] = (), **files: str) -> Selection:
    scripts = [parse(Source(f"schema/app/{name}.sql.j2", text)) for name, text in files.items()]
    return select_statements(template_statements(scripts), changes, past=past, only=only)


def texts(selection: Selection) -> list[str]:
    return [statement.template.text for statement in selection.statements]


def test_an_object_of_the_templates_only_is_created() -> None:
    changes = classify(NOTHING, catalog(table={}))

    assert changes.added == {TABLE}
    assert changes.created == {BIRDS}


def test_a_changed_policy_is_recreated() -> None:
    changes = classify(catalog(table={}, policy=READ), catalog(table={}, policy={**READ, "using": "false"}))

    assert changes.created == {Subject("policy", "app.birds.read")}
    assert changes.facts == ()


def test_a_function_with_another_body_is_replaced_and_with_another_result_recreated() -> None:
    old = catalog(function=function("int", "select 1"))

    body = classify(old, catalog(function=function("int", "select 2")))
    result = classify(old, catalog(function=function("text", "select 1")))

    assert (len(body.replaced), len(body.created)) == (1, 0)
    assert (len(result.replaced), len(result.created)) == (0, 1)


def test_a_comment_is_a_fact_of_its_own_unless_its_object_is_recreated() -> None:
    old = catalog(policy={**READ, "comment": "a"})

    assert len(classify(old, catalog(policy={**READ, "comment": "b"})).facts) == 1
    assert classify(old, catalog(policy={**READ, "comment": "b", "using": "false"})).facts == ()


def test_an_index_is_not_dropped_before_its_table() -> None:
    old = catalog(policy=READ, index={"on_table": "app.birds", "definition": ""})

    assert classify(old, NOTHING).removed == {POLICY, INDEX}
    assert classify(Catalog({Key("view", "app.birds"): {}, **old.facts}), NOTHING).removed == {
        Key("view", "app.birds")
    }


def test_a_partial_draft_removes_nothing() -> None:
    assert classify(catalog(policy=READ), NOTHING, partial=True).removed == frozenset()


def test_only_statements_of_changed_objects_are_selected_with_the_comments_above_them() -> None:
    changes = classify(catalog(table={}), catalog(table={}, policy=READ))

    selected = selection(
        changes, birds="create table app.birds (id int);\n\n-- All.\ncreate policy read on app.birds;\n"
    )

    assert texts(selected) == ["-- All.\ncreate policy read on app.birds;"]
    assert selected.includes(POLICY)


def test_the_drop_of_a_new_table_drops_its_policies() -> None:
    changes = classify(NOTHING, catalog(table={}, policy=READ))

    table, policy = selection(
        changes, birds="create table app.birds (id int);\ncreate policy read on app.birds;"
    ).statements

    assert [target.subject for target in table.to_drop] == [BIRDS]
    assert policy.to_drop == ()


def test_a_statement_with_an_effect_at_run_time_is_selected_once() -> None:
    changes, insert = classify(NOTHING, NOTHING), "insert into app.birds values (1);"

    assert texts(selection(changes, birds=insert)) == [insert]
    assert texts(selection(changes, past="insert  into app.birds\nvalues (1);", birds=insert)) == []


def test_templates_outside_only_are_not_selected() -> None:
    changes = classify(NOTHING, catalog(table={}))
    table = "create table app.birds (id int);"

    assert texts(selection(changes, only=("schema/app",), birds=table)) == [table]
    assert texts(selection(changes, only=("schema/ap",), birds=table)) == []


def test_a_difference_without_a_statement_is_rejected_with_its_name() -> None:
    with pytest.raises(CannotDraft) as error:
        draft((), catalog(table={}), NOTHING)

    assert error.value.detail == "table app.birds is in the templates only"


def test_a_function_without_arguments_in_a_statement_is_each_of_that_name() -> None:
    assert matches(Subject("function", "app.size(*)"), {Subject("function", "app.size(int4,)")})
    assert not matches(Subject("function", "app.size(int4,)"), {Subject("function", "app.size(text,)")})


def test_an_owned_sequence_belongs_to_its_table() -> None:
    sequence = Key("sequence", "app.birds_id_seq")

    assert belongs_to(sequence, Catalog({sequence: {"owned_by": "app.birds.id"}})) == BIRDS
    assert belongs_to(sequence, Catalog({sequence: {}})) is None


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("-- a\ncreate unique index i on t (a);", "-- a\ncreate unique index concurrently i on t (a);"),
        ("create index concurrently i on t (a);", "create index concurrently i on t (a);"),
        ("drop index app.i;", "drop index concurrently app.i;"),
    ],
)
def test_concurrently_is_added_once(text: str, result: str) -> None:
    assert concurrently(text) == result


def test_or_replace_is_added_once() -> None:
    assert or_replace("create function f()") == or_replace("create or replace function f()")


def test_a_function_with_another_type_of_argument_is_created_and_the_earlier_one_dropped() -> None:
    text = "create function app.size(a int, b bigint) returns int language sql as 'select 1';"
    facts = function("int", "select 1")
    old, new = (
        Catalog({Key("function", f"app.size(integer, {name})"): facts}) for name in ("integer", "bigint")
    )

    (drafted,) = draft([parse(Source("schema/app/_functions/size.sql.j2", text))], new, old)

    assert text in drafted.up
    assert "drop function app.size(integer, integer);" in drafted.up
    assert drafted.down.startswith("create function app.size(a int)")
    assert "drop function app.size(integer, bigint);" in drafted.down
