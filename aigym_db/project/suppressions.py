"""The setting `health_suppressions`: reports of `health` that are known, with a reason and an end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from aigym_db.project.toml import TEXT, Document, ValueKind

_DATE = ValueKind(
    lambda value: isinstance(value, date) and not isinstance(value, datetime),
    "a date",
    "2027-01-31",
    {"type": "string", "format": "date"},
)
KEYS: Mapping[str, ValueKind] = {"check": TEXT, "object": TEXT, "reason": TEXT, "until": _DATE}
"""The keys of an entry; only `object` is optional."""

REQUIRED = ("check", "reason", "until")


@dataclass(frozen=True, slots=True)
class Suppression:
    """Reports of a check that do not change the result of `health` until a date."""

    check: str
    """The name or code of the check."""
    reason: str
    until: date
    """The last day on which it applies."""
    object: str | None = None
    """The object of the reports, as `health` prints it; None for all of the check."""


def suppressions(document: Document, entries: Any, name: str) -> tuple[Suppression, ...]:
    """Return the entries of the setting `name`; raise BadConfig (AIG-P002) for a missing or unknown key."""
    result = []
    for index, entry in enumerate(entries):
        values = document.checked(entry, KEYS, name, index, subject="A suppression")
        for key in REQUIRED:
            if key not in values:
                raise document.wrong(
                    f"The suppression has no key `{key}`.", name, index, hint=KEYS[key].hint(key)
                )
        result.append(Suppression(**values))
    return tuple(result)
