"""Generate the items of a draft: SQL of both directions for the selected statements and the other changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aigym_db.draft.classify import Changes
from aigym_db.draft.items import Down, Item, Phase
from aigym_db.draft.selection import SelectedStatement, Selection
from aigym_db.draft.targets import Subject, bound_to, matches, subject
from aigym_db.draft.texts import FIRST, LAST, Position, concurrently, or_replace
from aigym_db.draft.write import change_column_rights, change_fact, create, drop, split
from aigym_db.model.catalog import Catalog, Difference, Key

_DROPPED_FIRST = ("policy", "trigger", "rule", "view", "materialized view", "index", "statistics")
_PHASES = {
    "view": Phase.VIEWS,
    "materialized view": Phase.VIEWS,
    "table": Phase.TABLES,
    "foreign table": Phase.TABLES,
    "sequence": Phase.FUNCTIONS,
    "operator": Phase.FUNCTIONS,
    "type": Phase.TYPES,
    "domain": Phase.TYPES,
    "collation": Phase.TYPES,
    "schema": Phase.SCHEMAS,
    "extension": Phase.SCHEMAS,
}


def statement_item(selected: SelectedStatement, changes: Changes, owner: str | None) -> Item:
    """Return the statements of both directions for one template statement.

    Objects that it recreates are dropped first; the down migration restores their definitions of the history.
    """
    template = selected.template
    text, transactional = template.text, True
    ups: list[str] = []
    downs: list[Down] = []
    for target in selected.to_drop:
        old, new = changes.keys_of(target.subject)
        if matches(target.subject, changes.replaced):
            text = or_replace(text)
            for key in old:
                restored = create(changes.history, key, acting_as=owner)[0]
                downs.append(Down(Phase.CHANGED, or_replace(restored) if key.kind == "view" else restored))
            continue
        ups += [drop(key) for key in old]
        dropping: list[Down] = []
        for key in new:
            if key.kind == "default privileges":
                downs += _downs(
                    Phase.CHANGED, _lines(change_fact(changes.state, changes.history, key, "acl"))
                )
            elif old:
                downs.append(Down(Phase.CHANGED, drop(key)))
            else:
                dropping.append(Down(_phase(key, bound_to(template.parsed), changes.state), drop(key)))
        if target.subject.kind == "index" and not old and _on_plain_tables(new, changes.state):
            text, transactional = concurrently(text), False
            dropping = [Down(down.phase, concurrently(down.text)) for down in dropping]
        downs += dropping
        for key in old:
            downs += _downs(Phase.CHANGED, create(changes.history, key, acting_as=owner))
    return Item(template.position, template.file, (*ups, text), tuple(downs), transactional)


def fact_item(difference: Difference, selection: Selection) -> Item | None:
    """Return the item that changes one fact of an existing object; None if no statement is available."""
    changes, key, fact = selection.changes, difference.key, difference.fact or ""
    up = change_fact(changes.history, changes.state, key, fact)
    down = change_fact(changes.state, changes.history, key, fact)
    if up is None or down is None:
        return None
    if key.kind == "database" and selection.run_time_files:
        up = ""
    position, file = selection.place_of(difference)
    return Item(position, file, tuple(_lines(up)), tuple(_downs(Phase.CHANGED, _lines(down))))


def column_rights_items(differences: Iterable[Difference], selection: Selection) -> Iterator[Item]:
    """Yield one item per table that changes the privileges on its columns."""
    changes = selection.changes
    by_table: dict[str, list[Difference]] = {}
    for difference in differences:
        by_table.setdefault(split(difference.key.name)[0], []).append(difference)
    for of_table in by_table.values():
        keys = [difference.key for difference in of_table]
        position, file = selection.place_of(of_table[0])
        up = change_column_rights(changes.history, changes.state, keys)
        down = change_column_rights(changes.state, changes.history, keys)
        yield Item(position, file, tuple(up), tuple(_downs(Phase.CHANGED, down)))


def removal_items(changes: Changes, owner: str | None) -> Iterator[Item]:
    """Yield drops of objects that the migrations create and the templates no longer contain."""
    keys = sorted(changes.removed, key=lambda key: (key.kind not in _DROPPED_FIRST, key))
    for number, key in enumerate(keys):
        first = key.kind in _DROPPED_FIRST
        if key.kind == "default privileges":
            up = _lines(change_fact(changes.history, changes.state, key, "acl"))
            down = _lines(change_fact(changes.state, changes.history, key, "acl"))
        else:
            up, down = [drop(key)], create(changes.history, key, acting_as=owner)
        phase = Phase.RESTORED_LAST if first else Phase.RESTORED
        yield Item(Position(FIRST if first else LAST, number), "", tuple(up), tuple(_downs(phase, down)))


def run_time_items(selection: Selection, items: Iterable[Item]) -> Iterator[Item]:
    """Yield the rollback of objects created by statements whose effect is known only at run time.

    Its position is before the other `items` of the template: the down, in reverse order, drops these last.
    """
    first: dict[str, int] = {}
    for item in items:
        first[item.file] = min(item.position.template, first.get(item.file, item.position.template))
    for key in selection.run_time_objects():
        file = selection.run_time_file(key)
        text = f"drop schema {key.name} cascade;" if key.kind == "schema" else drop(key)
        down = Down(_phase(key, frozenset(), selection.changes.state), text)
        yield Item(Position(first.get(file, 0), -1), file, (), (down,))


def _on_plain_tables(indexes: list[Key], state: Catalog) -> bool:
    """Return True if the tables of the indexes are not partitioned: CONCURRENTLY requires that."""
    return all(
        "partition_by"
        not in state.facts.get(Key("table", state.facts[key]["on_table"]), {"partition_by": ""})
        for key in indexes
    )


def _phase(key: Key, bound: frozenset[Subject], state: Catalog) -> Phase:
    """Return the rollback phase that drops a new object."""
    if key.kind in ("function", "procedure", "aggregate"):
        kinds = {other.kind for other in state.facts if subject(other) in bound and other.kind != "column"}
        if kinds & {"view", "materialized view"}:
            return Phase.FUNCTIONS_OF_VIEWS
        return Phase.FUNCTIONS_OF_TABLES if kinds & {"table", "foreign table"} else Phase.FUNCTIONS
    return _PHASES.get(key.kind, Phase.CHANGED)


def _lines(statement: str | None) -> list[str]:
    return statement.split("\n") if statement else []


def _downs(phase: Phase, texts: Iterable[str]) -> list[Down]:
    return [Down(phase, text) for text in texts]
