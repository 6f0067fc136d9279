"""Classification of statements by their text: what defines, changes rows, or leaves no session state."""

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
    """True if a statement only defines objects and evaluates no expression for existing or new rows."""
    return _DEFINES.match(step.text) is not None and _FILLS.match(step.text) is None


def harmless(step: Step) -> bool:
    """True if a defining statement executes no user code, so that it can leave no other session state."""
    return _HARMLESS.match(step.text) is not None


def changes_rows(step: Step) -> bool:
    """True if a statement changes rows; defaults and triggers may then execute user code."""
    return _CHANGES.match(step.text) is not None
