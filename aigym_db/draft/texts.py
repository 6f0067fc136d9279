"""The statements of the templates with their comments, as a migration contains them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from aigym_db.draft.targets import StatementTarget, targets
from aigym_db.model.sql import Script, Statement

FIRST, LAST = -1, 1_000_000
"""Template numbers before and after every template."""
_HEAD = re.compile(r"--[ \t]*\w+\.\w+:[^\n]*\n(?:--[^\n]*\n)*|--[ \t]*role:[^\n]*\n")
"""The card of a table, or the role of another template."""


class Position(NamedTuple):
    """A place in the order of execution: the number of a template, and of a statement within it."""

    template: int
    statement: int


@dataclass(frozen=True, slots=True)
class TemplateStatement:
    """One statement of a template."""

    position: Position
    file: str
    parsed: Statement
    targets: tuple[StatementTarget, ...]
    """The objects it creates or describes; empty if they are known only at run time."""
    text: str
    """The statement with the comment above it and a semicolon, as a migration contains it."""


def template_statements(scripts: Iterable[Script]) -> Iterator[TemplateStatement]:
    """Yield the statements of the scripts, in the order of the scripts."""
    for number, script in enumerate(scripts):
        end = 0
        for index, statement in enumerate(script.statements):
            above = _above(script.source.text[end : statement.start], first=index == 0)
            end = statement.end
            text = f"{above}{statement.text};"
            yield TemplateStatement(
                Position(number, index), script.source.file, statement, targets(statement), text
            )


def within(file: str, only: tuple[str, ...]) -> bool:
    """Return True if the file is in `only` or in one of its folders, or if `only` is empty."""
    return not only or any(file == path or file.startswith(path.rstrip("/") + "/") for path in only)


def squeeze(text: str) -> str:
    """Return the text with single spaces instead of other whitespace."""
    return re.sub(r"\s+", " ", text).strip()


def or_replace(text: str) -> str:
    """Return the statement as CREATE OR REPLACE."""
    return re.sub(
        r"^create\s+(?:or\s+replace\s+)?",
        "create or replace ",
        text,
        count=1,
        flags=re.IGNORECASE | re.MULTILINE,
    )


def concurrently(text: str) -> str:
    """Return CREATE INDEX or DROP INDEX with CONCURRENTLY, which does not block writes."""
    return re.sub(
        r"^((?:create\s+(?:unique\s+)?|drop\s+)index\s+)(?:concurrently\s+)?",
        r"\1concurrently ",
        text,
        count=1,
        flags=re.IGNORECASE | re.MULTILINE,
    )


def _above(gap: str, *, first: bool) -> str:
    """Return the comment lines directly above a statement, without the head of the template."""
    gap = _HEAD.sub("", gap.lstrip("\n"), count=1) if first else gap.partition("\n")[2]
    lines = [line for line in gap.split("\n") if line.strip()]
    return "".join(f"{line}\n" for line in lines)
