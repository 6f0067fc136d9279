"""Words of messages that every layer needs: counts with nouns, and similar names."""

from __future__ import annotations

from collections.abc import Iterable


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: `1 error`, `2 errors`, `2,000 batches`."""
    plural = "" if count == 1 else "es" if noun.endswith(("s", "x", "ch", "sh")) else "s"
    return f"{count:,} {noun}{plural}"


def similar(name: str, choices: Iterable[str]) -> list[str]:
    """Return a list of the choice most similar to a name, or an empty list if none is similar enough."""
    from difflib import get_close_matches

    return get_close_matches(name, sorted(choices), 1)
