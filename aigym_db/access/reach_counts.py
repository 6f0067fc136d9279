"""What actors gain and lose, as numbers of rows and values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aigym_db.model.access import ReachKey


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
