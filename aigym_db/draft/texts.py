"""The statements of the templates as a reader of the migration wants to see them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aigym_db.draft.targets import StatementTarget, targets
from aigym_db.model.sql import Script, Statement

_DESCRIBING = ("CommentStmt", "GrantStmt", "AlterOwnerStmt")
_CARD = re.compile(r"--[ \t]*\w+\.\w+:[^\n]*\n(?:--[^\n]*\n)*")


@dataclass(frozen=True, slots=True)
class StatementText:
    """One statement of a template, what it is about, and its text with the comment above it."""

    order: tuple[int, int]
    file: str
    statement: Statement
    targets: tuple[StatementTarget, ...]
    text: str

    @property
    def only_describes(self) -> bool:
        return self.statement.kind in _DESCRIBING

    def within(self, only: tuple[str, ...]) -> bool:
        """Whether the file is one of those, or in a folder of those; any is when there are none."""
        return within(self.file, only)


def within(file: str, only: tuple[str, ...]) -> bool:
    return not only or any(file == one or file.startswith(one.rstrip("/") + "/") for one in only)


def passages(scripts: Iterable[Script]) -> Iterator[StatementText]:
    """Every statement of the scripts, in order."""
    for number, script in enumerate(scripts):
        end = 0
        for place, statement in enumerate(script.statements):
            above = _above(script.source.text[end : statement.start], first=place == 0)
            end = statement.end
            text = f"{above}{statement.text};"
            yield StatementText((number, place), script.source.file, statement, targets(statement), text)


def or_replace(text: str) -> str:
    """The same statement, taking the place of an object that is already there."""
    return re.sub(
        r"^create\s+(?:or\s+replace\s+)?",
        "create or replace ",
        text,
        count=1,
        flags=re.IGNORECASE | re.MULTILINE,
    )


def concurrently(text: str) -> str:
    """The same index, built while others write."""
    return re.sub(
        r"^(create\s+(?:unique\s+)?index\s+)(?:concurrently\s+)?",
        r"\1concurrently ",
        text,
        count=1,
        flags=re.I | re.M,
    )


def _above(gap: str, *, first: bool) -> str:
    """The comment lines right above a statement; the card of a table is none."""
    gap = _CARD.sub("", gap.lstrip("\n"), count=1) if first else gap.partition("\n")[2]
    lines = [line for line in gap.split("\n") if line.strip()]
    return "".join(f"{line}\n" for line in lines)
