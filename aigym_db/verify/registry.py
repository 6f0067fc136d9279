"""The checks there are, found by looking into `verify/checks/`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path

from aigym_db.verify.check import Check, query_check


@cache
def checks() -> tuple[Check, ...]:
    """Every check, sorted by code."""
    package = importlib.import_module("aigym_db.verify.checks")
    found = [query_check(path) for path in Path(package.__path__[0]).rglob("*.sql")]
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        values = vars(importlib.import_module(module.name)).values()
        found.extend(value for value in values if isinstance(value, Check))
    return tuple(sorted(found, key=lambda check: check.code))


def find(word: str) -> Check | None:
    """The check by its name or code, None when there is none."""
    return next((one for one in checks() if word.lower() == one.name or word.upper() == one.code), None)


def page(check: Check) -> str:
    """What `explain` shows of a check."""
    return f"{check.code} {check.name} ({check.level})\n\n{check.text.strip()}\n"
