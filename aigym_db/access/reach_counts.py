"""What actors gain and lose, as the access matrix lists it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from aigym_db.errors import BadAccessMatrix
from aigym_db.model.access import ReachKey
from aigym_db.model.source import Place
from aigym_db.model.wording import similar


def check_reach(listed: Iterable[tuple[str, Place | None]], known: Collection[str]) -> None:
    """Raise BadAccessMatrix (AIG-P012) if a gain or loss is none of the known tables and calls."""
    for name, place in listed:
        subject = name.rstrip("~-")
        if subject not in known:
            subject = name.removesuffix("(held)").rstrip("~-")
        if subject not in known:
            near = similar(subject, known)
            raise BadAccessMatrix(
                f"The access matrix does not contain the table or call {subject}.",
                place=place,
                hint=f"Write {near[0]}." if near else "Use a table, or a function with the name of a call.",
            )


def reach_matches(actual: Mapping[ReachKey, int], expected: Mapping[ReachKey, int | None]) -> bool:
    """Return True if the actual gains and losses are the expected ones."""
    return actual.keys() == expected.keys() and all(
        count is None or actual[key] == count for key, count in expected.items()
    )


def listed_reach(actual: Mapping[ReachKey, int]) -> Iterator[str]:
    """Yield gains and losses of each actor in the form of a cell: `gains app.notes 3, app.units 1`."""
    groups: dict[tuple[str, str], list[str]] = {}
    for (actor, kind, name), count in sorted(actual.items()):
        groups.setdefault((actor, kind), []).append(f"{name} {count}")
    for (actor, kind), names in groups.items():
        yield f"{actor} {kind} {', '.join(names)}".strip()
