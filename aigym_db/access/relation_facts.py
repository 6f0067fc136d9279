"""The facts of a relation: its own, and those of its columns, constraints, policies and other parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from aigym_db.model.catalog import Key

_PARTS = ("column", "constraint", "policy", "trigger", "rule")
"""Objects whose name is that of a relation, a dot and their own."""
_RELATION_OF = re.compile(r'((?:"(?:[^"]|"")*"|[^".]+)\.(?:"(?:[^"]|"")*"|[^".]+))\.')
_REFERENCES = re.compile(r'REFERENCES ((?:"(?:[^"]|"")*"|[^".\s]+)\.(?:"(?:[^"]|"")*"|[^".(\s]+))\(')
_CASCADES = re.compile(r"ON (?:UPDATE|DELETE) (?:CASCADE|SET)")


@dataclass(slots=True)
class RelationFacts:
    """A table or view, and what belongs to it."""

    facts: dict[str, str] = field(default_factory=dict)
    parts: dict[Key, Mapping[str, str]] = field(default_factory=dict)
    """Columns, constraints, indexes, triggers, rules and sequences."""
    policies: dict[Key, Mapping[str, str]] = field(default_factory=dict)
    children: list[str] = field(default_factory=list)
    """Partitions and tables that inherit."""

    @property
    def parents(self) -> list[str]:
        """The tables that it is a partition of or inherits from."""
        return [name.partition(" (")[0] for name in self.facts.get("inherits", "").split(", ")]


def relation_of(key: Key, facts: Mapping[str, str]) -> str:
    """Return the relation that an object belongs to; empty if it belongs to none."""
    if key.kind in _PARTS:
        match = _RELATION_OF.match(key.name)
    elif key.kind == "sequence":
        match = _RELATION_OF.match(facts.get("owned_by", ""))
    else:
        return facts.get("on_table", "")
    return match[1] if match else ""


def foreign_keys(relation: RelationFacts) -> list[tuple[str, bool]]:
    """Return the tables that a relation references, with True if a change of a referenced row cascades.

    Those that cascade are last: a table can be referenced by several foreign keys.
    """
    references = [
        (target[1], _CASCADES.search(facts["definition"]) is not None)
        for key, facts in relation.parts.items()
        if key.kind == "constraint" and (target := _REFERENCES.search(facts.get("definition", "")))
    ]
    return sorted(references, key=lambda reference: reference[1])


def generates_keys(relation: RelationFacts) -> bool:
    """Return True if no row can conflict with an inserted row: each unique index has a generated column."""
    columns = {
        key.name.rpartition(".")[2]
        for key, facts in relation.parts.items()
        if key.kind == "column" and ("identity" in facts or "(" in facts.get("default", ""))
    }
    unique = [
        facts.get("definition", "")
        for facts in relation.parts.values()
        if re.match(r"PRIMARY KEY|UNIQUE|EXCLUDE|CREATE UNIQUE", facts.get("definition", ""))
    ]
    return all(not columns.isdisjoint(re.findall(r"\w+", text)) for text in unique)
