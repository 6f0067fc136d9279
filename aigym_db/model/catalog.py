"""The catalog of a database as facts that can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """One object: `table iam.tenants`, `policy iam.tenants.tenants_select`."""

    kind: str
    name: str

    def __str__(self) -> str:
        return "this database" if self == THIS_DATABASE else f"{self.kind} {self.name}"


THIS_DATABASE = Key("database", "this")
"""The key of the database itself. It contains no name: databases with different names are compared."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The objects of a database and the facts about each."""

    facts: Mapping[Key, Mapping[str, str]]

    def difference(self, other: Catalog) -> tuple[Difference, ...]:
        """Return the differences between this catalog (left) and the other (right), sorted by object."""
        differences: list[Difference] = []
        for key in sorted(self.facts.keys() | other.facts.keys()):
            left, right = self.facts.get(key), other.facts.get(key)
            if left is None or right is None:
                differences.append(Difference(key, None, _shown(left), _shown(right)))
                continue
            differences.extend(
                Difference(key, fact, left.get(fact), right.get(fact))
                for fact in sorted(left.keys() | right.keys())
                if left.get(fact) != right.get(fact)
            )
        return tuple(differences)


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact that differs between two catalogs; `fact` is None if the object exists on one side only."""

    key: Key
    fact: str | None
    left: str | None
    right: str | None

    def __str__(self) -> str:
        if self.fact is None:
            return f"{self.key} is on the {'right' if self.left is None else 'left'} only"
        return f"{self.key}: {self.fact} is {self.left!r} on the left, {self.right!r} on the right"


def _shown(facts: Mapping[str, str] | None) -> str | None:
    return None if facts is None else "present"
