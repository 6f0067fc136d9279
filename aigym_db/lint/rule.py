"""Lint rules, their discovery and their pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from aigym_db.discovery import instances
from aigym_db.lint.section import Spot
from aigym_db.model.finding import Level

InDowns = Literal["run", "note", "skip"]


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """A place where a rule is violated: message and hint become those of the finding."""

    spot: Spot
    message: str
    hint: str = ""
    level: Level | None = None
    """The level if it differs from that of the rule."""


RuleCheck = Callable[[Any], Iterator[RuleMatch]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A lint rule: what it applies to, the function that checks it, and its page."""

    code: str
    """Stable, e.g. `LOCK01`."""
    name: str
    """Completes "allow …", e.g. `index-without-concurrently`."""
    since: str
    """The first version of aigym-db that contains it."""
    level: Level
    on: tuple[type, ...]
    """The types the check receives: parse nodes of statements (it receives a StatementContext before each is
    replayed), `Chain` (once, after all are replayed), `TransactionState` (a transaction open at the end of a
    section) or `CheckedAllow` (each allow comment)."""
    in_downs: InDowns
    """In the down of a migration: check as elsewhere, report as a note, or skip."""
    in_functions: bool
    """Also check the statements in CREATE FUNCTION, which run when the function is called."""
    check: RuleCheck
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
) -> Callable[[RuleCheck], Rule]:
    """Return a decorator that turns a check function into a Rule; see there for the parameters.

    The docstring of the function's module is the page; tests execute the examples in it.
    """

    def register(check: RuleCheck) -> Rule:
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


@cache
def rules() -> tuple[Rule, ...]:
    """Return every rule in `lint/rules/`, sorted by code."""
    return tuple(sorted(instances("aigym_db.lint.rules", Rule), key=lambda rule: rule.code))


@cache
def rules_by_name() -> dict[str, Rule]:
    """Return every rule by its name, e.g. `index-without-concurrently`."""
    return {rule.name: rule for rule in rules()}


def page(rule: Rule) -> str:
    """Return the page that `explain` prints: code, name, level, effect in downs, first version, and text."""
    downs = {"run": "", "note": "; a note in downs", "skip": "; not in downs"}[rule.in_downs]
    return (
        f"{rule.code} {rule.name} ({rule.level}{downs}; since aigym-db {rule.since})\n\n{rule.text.strip()}\n"
    )
