"""Differences between two catalogs as findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from aigym_db.model.catalog import Difference, Key
from aigym_db.model.source import Place
from aigym_db.verify.check import CheckFailure

MOST = 50
"""Maximum number of objects that are reported; more of them usually have a common cause."""


def failures(
    differences: Iterable[Difference],
    left: str,
    right: str,
    *,
    place: Callable[[Key], Place | None],
    advice: str,
) -> Iterator[CheckFailure]:
    """Yield one failure per object; `left` and `right` name the sides, e.g. `after the migrations`.

    For a table that exists on one side only, its columns and dependent objects are not reported.
    """
    by_object: dict[Key, list[Difference]] = {}
    for difference in differences:
        by_object.setdefault(difference.key, []).append(difference)
    tables = {key.name for key, group in by_object.items() if key.kind == "table" and group[0].fact is None}
    by_object = {key: group for key, group in by_object.items() if not _belongs_to(key, tables)}
    for number, (key, group) in enumerate(by_object.items()):
        if number == MOST:
            yield CheckFailure(f"… and {len(by_object) - MOST} more objects differ.", None, advice)
            return
        yield CheckFailure(_sentence(key, group, left, right), place(key), advice)


def _belongs_to(key: Key, tables: set[str]) -> bool:
    """Return True if an object belongs to one of these tables, judged by its name."""
    schema, _, rest = key.name.partition(".")
    if key.kind == "index":
        words = rest.split("_")
        return any(f"{schema}.{'_'.join(words[:count])}" in tables for count in range(1, len(words)))
    return f"{schema}.{rest.partition('.')[0]}" in tables and "." in rest


def _sentence(key: Key, group: list[Difference], left: str, right: str) -> str:
    if group[0].fact is None:
        present, absent = (left, right) if group[0].right is None else (right, left)
        return f"{key} exists {present} but not {absent}."
    facts = "; ".join(
        f"{_subject(difference)} {_value(difference.left)} {left} and {_value(difference.right)} {right}"
        for difference in group
    )
    return f"{key}: {facts}."


def _subject(difference: Difference) -> str:
    """Return what differs, with its verb: the fact, or the order of the columns if that differs only."""
    if difference.fact == "columns":
        left, right = (sorted((side or "").split(", ")) for side in (difference.left, difference.right))
        if left == right:
            return "the order of the columns is"
    plural = difference.fact in ("columns", "arguments", "roles")
    return f"its {difference.fact} are" if plural else f"{difference.fact} is"


def _value(value: str | None) -> str:
    return "not set" if value is None else f"`{value}`"
