"""Differences of catalogs, as findings a person can act on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from aigym_db.model.catalog import Difference, Key
from aigym_db.model.source import Place
from aigym_db.verify.check import CheckFailure

MOST = 50
"""How many differences are told one by one; more of them have a cause in common."""


def told(
    differences: Iterable[Difference],
    left: str,
    right: str,
    *,
    place: Callable[[Key], Place | None],
    advice: str,
) -> Iterator[CheckFailure]:
    """One finding per object; `left` and `right` complete "… is there …", e.g. `after the migrations`.

    Of a table that is on one side only, nothing is told but that: its columns and all the rest go with it.
    """
    by_object: dict[Key, list[Difference]] = {}
    for difference in differences:
        by_object.setdefault(difference.key, []).append(difference)
    tables = {key.name for key, some in by_object.items() if key.kind == "table" and some[0].fact is None}
    by_object = {key: some for key, some in by_object.items() if not _goes_with(key, tables)}
    for number, (key, some) in enumerate(by_object.items()):
        if number == MOST:
            yield CheckFailure(f"… and {len(by_object) - MOST} objects more differ.", None, advice)
            return
        yield CheckFailure(_sentence(key, some, left, right), place(key), advice)


def _goes_with(key: Key, tables: set[str]) -> bool:
    """Whether an object hangs on one of these tables, as far as its name tells."""
    schema, _, rest = key.name.partition(".")
    if key.kind == "index":
        words = rest.split("_")
        return any(f"{schema}.{'_'.join(words[:count])}" in tables for count in range(1, len(words)))
    return f"{schema}.{rest.partition('.')[0]}" in tables and "." in rest


def _sentence(key: Key, some: list[Difference], left: str, right: str) -> str:
    if some[0].fact is None:
        here, there = (left, right) if some[0].right is None else (right, left)
        return f"{key} is there {here}, and not {there}."
    facts = "; ".join(
        f"{one.fact} is {_value(one.left)} {left} and {_value(one.right)} {right}" for one in some
    )
    return f"{key}: {facts}."


def _value(value: str | None) -> str:
    return "not set" if value is None else f"`{value}`"
