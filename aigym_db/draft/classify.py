"""Classify the differences between history and templates by how a draft handles them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from aigym_db.draft.targets import StatementTarget, Subject, belongs_to, matches, subject
from aigym_db.model.catalog import Catalog, Difference, Key

REMOVABLE = (
    "function",
    "procedure",
    "view",
    "materialized view",
    "policy",
    "trigger",
    "rule",
    "index",
    "statistics",
    "default privileges",
)
"""Kinds of object that a draft drops, because the catalog has all that recreates them."""
_RECREATED_BY = {
    "view": {"definition", "options", "columns"},
    "materialized view": {"definition", "options", "columns"},
    "policy": {"mode", "command", "roles", "using", "with_check"},
    "trigger": {"definition"},
    "index": {"definition"},
    "rule": {"definition"},
    "statistics": {"definition"},
}


@dataclass(frozen=True, slots=True)
class Changes:
    """The differences between history and state, by the SQL they need."""

    history: Catalog
    state: Catalog
    added: frozenset[Key]
    """Objects of the state only."""
    removed: frozenset[Key]
    """Objects of history only, without those that the drop of another object drops."""
    created: frozenset[Subject]
    """The added objects, and those whose change requires DROP and CREATE."""
    replaced: frozenset[Subject]
    """Functions and views whose change is CREATE OR REPLACE."""
    facts: tuple[Difference, ...]
    """Facts of the other objects, such as privileges and comments; each needs a statement of its own."""

    def requires(self, target: StatementTarget) -> bool:
        """Return True if the migrations need a template statement with this target."""
        if matches(target.subject, self.created) or target.parent in self.created:
            return True
        return target.creates and matches(target.subject, self.replaced)

    def keys_of(self, target: Subject) -> tuple[list[Key], list[Key]]:
        """Return the keys of a subject in history and in the state, without columns."""
        return _keys(self.history, target), _keys(self.state, target)


def classify(history: Catalog, state: Catalog, *, partial: bool = False) -> Changes:
    """Return the classified differences.

    A `partial` draft uses only some of the templates and removes nothing: an object that they lack may be in
    the others.
    """
    differences = history.difference(state)
    added = frozenset(item.key for item in differences if item.fact is None and item.left is None)
    removed = frozenset(item.key for item in differences if item.fact is None and item.right is None)
    created = _subjects(added) - _subjects(history.facts)
    replaced: frozenset[Subject] = frozenset()
    facts: list[Difference] = []
    by_object: dict[Key, list[Difference]] = {}
    for difference in differences:
        if difference.fact is not None:
            by_object.setdefault(difference.key, []).append(difference)
    retyped = {
        Key("view", key.name.rpartition(".")[0])
        for key, changed in by_object.items()
        if key.kind == "column" and any(difference.fact == "type" for difference in changed)
    }
    for key, changed in by_object.items():
        names = {difference.fact for difference in changed}
        if key.kind in ("function", "procedure") and names & {"definition", "security"}:
            if _signature(history, key) == _signature(state, key):
                replaced |= {subject(key)}
                facts += [item for item in changed if item.fact not in ("definition", "security")]
            else:
                created |= {subject(key)}
        elif key.kind == "view" and names & _RECREATED_BY["view"] == {"definition"} and key not in retyped:
            replaced |= {subject(key)}
            facts += [item for item in changed if item.fact != "definition"]
        elif names & _RECREATED_BY.get(key.kind, set()):
            created |= {subject(key)}
        else:
            facts += changed
    dropped = created | {subject(key) for key in removed if key.kind in REMOVABLE}
    return Changes(
        history=history,
        state=state,
        added=added,
        removed=frozenset(key for key in removed if not partial and belongs_to(key, history) not in dropped),
        created=created,
        replaced=replaced,
        facts=tuple(item for item in facts if belongs_to(item.key, state) not in created),
    )


def _keys(catalog: Catalog, target: Subject) -> list[Key]:
    return [key for key in catalog.facts if key.kind != "column" and matches(subject(key), {target})]


def _subjects(keys: Iterable[Key]) -> frozenset[Subject]:
    return frozenset(subject(key) for key in keys if key.kind != "column")


def _signature(catalog: Catalog, key: Key) -> str:
    """Return the part that CREATE OR REPLACE cannot change: argument names and defaults, result type."""
    return re.split(r"\n LANGUAGE ", catalog.facts[key]["definition"], maxsplit=1)[0]
