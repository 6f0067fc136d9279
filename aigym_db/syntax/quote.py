"""Names as SQL takes them."""

from __future__ import annotations


def quoted(name: str) -> str:
    """An identifier in double quotes, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'
