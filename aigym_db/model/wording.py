"""Words of messages that every layer needs: counts with nouns, and similar names."""

from __future__ import annotations

from collections.abc import Iterable


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: `1 error`, `2 errors`, `2,000 batches`."""
    plural = "" if count == 1 else "es" if noun.endswith(("s", "x", "ch", "sh")) else "s"
    return f"{count:,} {noun}{plural}"


def similar(name: str, choices: Iterable[str]) -> list[str]:
    """Return a list of the choice most similar to a name, or an empty list if none is similar enough.

    Case is ignored. The number of letters that only one of the two contains is limited by their
    length, so that only misspellings match: `ownr` and `owner`, but neither `uid` and `id` nor `app.nope` and
    `app.notes`.
    """
    from difflib import SequenceMatcher, get_close_matches

    lower, choice_by_lower = name.lower(), {choice.lower(): choice for choice in sorted(choices)}
    nearest: list[tuple[float, str]] = []
    for near in get_close_matches(lower, choice_by_lower, len(choice_by_lower) + 1):
        length = max(len(near), len(lower))
        limit = 4 if length >= 12 else 2 if length >= 5 else 1 if length == 4 else 0
        blocks = SequenceMatcher(None, near, lower).get_matching_blocks()
        distance = len(near) + len(lower) - 2 * sum(block.size for block in blocks)
        if distance <= limit:
            nearest.append((distance / length, near))
    return [choice_by_lower[min(nearest)[1]]] if nearest else []
