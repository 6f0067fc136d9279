"""Quote identifiers and values for SQL text, without a connection."""

from __future__ import annotations

from typing import Any


def quoted(*names: str | None) -> str:
    """Return a dotted name of double-quoted identifiers; empty and missing parts are left out."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names if name)


def literal(value: Any) -> str:
    """Return a value as an SQL constant of unknown type: NULL, a string, or an array for a tuple.

    Valid with standard_conforming_strings on, which every session of this package sets.
    """
    if value is None:
        return "null"
    if isinstance(value, tuple):
        elements = (str(element).replace("\\", "\\\\").replace('"', '\\"') for element in value)
        return literal("{" + ",".join(f'"{element}"' for element in elements) + "}")
    return "'" + str(value).replace("'", "''") + "'"
