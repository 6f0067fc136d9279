"""The page of a rule, and the examples on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import dedent
from typing import Literal

from aigym_db.lint.registry import by_name, rules
from aigym_db.lint.rule import Rule

_HEADING = re.compile(r"^(Given|Bad|Good)(?: \((refused|migration)\))?:$")


@dataclass(frozen=True, slots=True)
class Example:
    """SQL from a rule's page."""

    kind: Literal["Bad", "Good"]
    sql: str
    given: str
    """What the page runs before it; its tables may hold rows."""
    mark: str
    """`refused`: the server refuses it. `migration`: it is a whole migration file. Else empty."""


def find(word: str) -> Rule | None:
    """The rule by its name or code, None when there is none."""
    return by_name().get(word.lower()) or next((rule for rule in rules() if rule.code == word.upper()), None)


def page(rule: Rule) -> str:
    """What `explain` shows of a rule."""
    downs = {"run": "", "note": "; a note in downs", "skip": "; not in downs"}[rule.in_downs]
    return f"{rule.code} {rule.name} ({rule.level}{downs}; since {rule.since})\n\n{rule.text.strip()}\n"


def examples(rule: Rule) -> tuple[Example, ...]:
    """The Bad and Good examples of a rule's page."""
    given = ""
    found: list[Example] = []
    for kind, mark, sql in _blocks(rule.text):
        if kind == "Given":
            given = sql
        elif kind == "Bad":
            found.append(Example("Bad", sql, given, mark))
        else:
            found.append(Example("Good", sql, given, mark))
    return tuple(found)


def _blocks(text: str) -> Iterator[tuple[str, str, str]]:
    lines = text.split("\n")
    for at, line in enumerate(lines):
        heading = _HEADING.match(line)
        if heading is None:
            continue
        end = at + 1
        while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
            end += 1
        yield heading[1], heading[2] or "", dedent("\n".join(lines[at + 1 : end])).strip() + "\n"
