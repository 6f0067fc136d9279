"""The card of a table file in test projects."""

from __future__ import annotations

_KEYS = """\
-- tenancy: global
-- owner: -
-- tenant: -
-- parent: -
-- mfa: none
-- personal: -
-- basis: -
-- retention: life
-- audit: none
-- rows: 10
"""


def card(table: str) -> str:
    """Return the card of a table without personal data, which every tenant shares."""
    return f"-- {table}: a table of a test.\n{_KEYS}"
