"""The setting `partitions`: partitioning by time of tables without a card."""

from __future__ import annotations

import re

from aigym_db.model.card import Partitioning

PATTERN = r"range [^ ]+ (day|month) keep [1-9][0-9]*"
"""The form of a value, which is that of the key `partition` of a card."""


def is_range(text: object) -> bool:
    """True if a value describes partitioning by time."""
    return isinstance(text, str) and re.fullmatch(PATTERN, text) is not None


def partitioning(text: str) -> Partitioning:
    """Return the partitioning that a value describes."""
    _, column, interval, _, keep = text.split()
    return Partitioning("range", column, "day" if interval == "day" else "month", int(keep))
