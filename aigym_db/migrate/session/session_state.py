"""What a file left behind in the session, where the next one would meet it."""

from __future__ import annotations

import re

from aigym_db.migrate.step import Step

_DEFINES = re.compile(r"(?:create|alter|drop|comment|grant|revoke)\b", re.IGNORECASE)
_CHANGES = re.compile(r"(?:insert|update|delete|merge)\b", re.IGNORECASE)
_FILLS = re.compile(
    r"create\s+(?:\w+\s+){0,2}?table\b.*?\bas\s*\(*\s*(?:select|with|values|execute|table)\b"
    r"|create\s+materialized\b"
    r"|alter\b.*\b(?:default|using)\b.*\("
    r"|alter\b.*\b(?:now|current_|local)",
    re.IGNORECASE | re.DOTALL,
)
_HARMLESS = re.compile(
    r"(?:comment|grant|revoke|drop)\b"
    r"|create\s+(?:or\s+replace\s+)?(?:table|view|function|procedure|trigger|policy|rule|type|domain|schema)\b"
    r"|create\s+(?:unique\s+)?index[^(]*\([^(]*$"
    r"|alter(?![^(]*\b(?:validate|type|attach|add)\b)[^(]*$",
    re.IGNORECASE,
)


def defines(step: Step) -> bool:
    """Whether a statement only defines something, and works out nothing for rows that are there or new."""
    return _DEFINES.match(step.text) is not None and _FILLS.match(step.text) is None


def harmless(step: Step) -> bool:
    """Whether a statement that defines something runs nobody's code, and so can leave nothing else."""
    return _HARMLESS.match(step.text) is not None


def changes_rows(step: Step) -> bool:
    """Whether a statement changes rows; what code that runs, in defaults and triggers, nobody can see."""
    return _CHANGES.match(step.text) is not None
