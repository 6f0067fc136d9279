"""A check of `health`, and how a query becomes one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from aigym_db.syntax.check_file import BreakingChange, check_file

Severity = Literal["ok", "unknown", "warning", "critical"]
"""The result of a check, the least severe first; `unknown` if evidence or a privilege is missing."""

SEVERITIES: tuple[Severity, ...] = ("ok", "unknown", "warning", "critical")


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A property of a running database that `health` examines."""

    code: str
    """Stable, e.g. `HLT01`."""
    name: str
    hint: str
    """How to correct a problem: a sentence that begins with a verb."""
    unit: str | None
    """The unit of the values, e.g. `days`; None if the check has no values."""
    role: str | None
    """The predefined role without which the server hides the rows that the check reads."""
    names: frozenset[str]
    """The objects of pg_catalog that the query mentions, without their schema."""
    sql: str
    """One SELECT of `severity`, `object`, `message` and `value`; parameters `ignored` (names of schemas that
    are left out), `ahead` (added to the current time) and `version` (replaces that of the server)."""
    text: str
    """Its page: what it reports, why, and the sources of its thresholds."""
    breaking: tuple[BreakingChange, ...]


def health_check(path: Path) -> HealthCheck:
    """Return the check of a query in `health/checks/`.

    The file begins with its title, the keys `code`, `hint`, optionally `unit` and `role`, pairs of `breaks`
    and `finding`, and the page. Raise BadMigration if one of them is missing.
    """
    file = check_file(path, required=("code", "hint"), optional=("unit", "role"))
    keys = file.keys
    return HealthCheck(
        keys["code"],
        path.stem.replace("_", "-"),
        keys["hint"],
        keys.get("unit"),
        keys.get("role"),
        frozenset(re.findall(r'pg_catalog\."?(\w+)', file.sql)),
        file.sql,
        file.page,
        file.breaking,
    )


@cache
def health_checks() -> tuple[HealthCheck, ...]:
    """Return every check in `health/checks/`, sorted by code."""
    paths = (Path(__file__).parent / "checks").glob("*.sql")
    return tuple(sorted(map(health_check, paths), key=lambda check: check.code))


def health_page(check: HealthCheck) -> str:
    """Return the page that `explain` prints: code, name, text, unit, and the role that is required."""
    facts = [
        f"Values in {check.unit}." if check.unit else "",
        f"Requires the role {check.role}." if check.role else "",
    ]
    added = f"\n\n{' '.join(filter(None, facts))}" if any(facts) else ""
    return f"{check.code} {check.name}\n\n{check.text.strip()}{added}\n"
