"""Values as SQL."""

from __future__ import annotations

from typing import Any


def literal(value: Any) -> str:
    """The value as an SQL literal of no type yet, so that it takes the type of what it meets."""
    if value is None:
        return "null"
    if isinstance(value, tuple):
        return literal(
            "{"
            + ",".join('"' + str(one).replace("\\", "\\\\").replace('"', '\\"') + '"' for one in value)
            + "}"
        )
    return "'" + str(value).replace("'", "''") + "'"
