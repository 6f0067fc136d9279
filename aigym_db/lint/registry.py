"""The rules there are, found by looking into `lint/rules/`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from aigym_db.lint.rule import Rule


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, sorted by code."""
    package = importlib.import_module("aigym_db.lint.rules")
    found: list[Rule] = []
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        found.extend(
            value for value in vars(importlib.import_module(module.name)).values() if isinstance(value, Rule)
        )
    return tuple(sorted(found, key=lambda rule: rule.code))


@cache
def by_name() -> dict[str, Rule]:
    """The rules by their names."""
    return {rule.name: rule for rule in rules()}
