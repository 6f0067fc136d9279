"""What a rule is, and how a module becomes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from aigym_db.lint.section import Spot
from aigym_db.model.finding import Level

InDowns = Literal["run", "note", "skip"]


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """Something a check found: where, one sentence, and the safe way. The engine adds whose rule it was."""

    spot: Spot
    message: str
    help: str = ""
    level: Level | None = None
    """Where it differs from the level of the rule."""


Check = Callable[[Any], Iterator[RuleMatch]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A check, its name and its page."""

    code: str
    """Never changes, e.g. `LOCK01`."""
    name: str
    """Completes "allow …", e.g. `index-without-concurrently`."""
    since: str
    """The first version of aigym-db that has it."""
    level: Level
    on: tuple[type, ...]
    """What the check looks at: classes of statements (it gets a Step before each), `Chain` (the chain once
    all is replayed), `Transaction` (what a text left open) or `Allow` (each allow comment)."""
    in_downs: InDowns
    """In the down of a migration: run as anywhere, say it as a note, or skip."""
    in_functions: bool
    """Also over the statements inside CREATE FUNCTION, which run when the function is called."""
    check: Check
    text: str
    """The docstring of its module."""


def rule(
    code: str,
    name: str,
    *,
    since: str,
    on: type | tuple[type, ...],
    level: Level = "warning",
    in_downs: InDowns = "run",
    in_functions: bool = False,
) -> Callable[[Check], Rule]:
    """Makes a check a rule; the module's docstring is its page and its examples are its tests."""

    def register(check: Check) -> Rule:
        text = check.__globals__["__doc__"] or ""
        return Rule(
            code,
            name,
            since,
            level,
            on if isinstance(on, tuple) else (on,),
            in_downs,
            in_functions,
            check,
            text,
        )

    return register
