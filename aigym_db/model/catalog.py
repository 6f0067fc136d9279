"""What a database holds, as facts that can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """One object: `table iam.tenants`, `policy iam.tenants.tenants_select`."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every object of a database and what is true of it."""

    facts: Mapping[Key, Mapping[str, str]]

    def difference(self, other: Catalog) -> tuple[Difference, ...]:
        """What has to change to turn this catalog into the other; empty when they are the same."""
        found: list[Difference] = []
        for key in sorted(self.facts.keys() | other.facts.keys()):
            left, right = self.facts.get(key), other.facts.get(key)
            if left is None or right is None:
                found.append(Difference(key, None, _shown(left), _shown(right)))
                continue
            found.extend(
                Difference(key, fact, left.get(fact), right.get(fact))
                for fact in sorted(left.keys() | right.keys())
                if left.get(fact) != right.get(fact)
            )
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact on which two catalogs disagree; `fact` is None when the whole object is on one side only."""

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
