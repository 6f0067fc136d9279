"""The statements of the templates with their comments, as a migration contains them."""

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
    """One statement of a template, its targets, and its text with the comment above it."""

    order: tuple[int, int]
    file: str
    statement: Statement
    targets: tuple[StatementTarget, ...]
    text: str

    @property
    def only_describes(self) -> bool:
        return self.statement.kind in _DESCRIBING

    def within(self, only: tuple[str, ...]) -> bool:
        """Return True if the file is in `only`, in one of its folders, or if `only` is empty."""
        return within(self.file, only)


def within(file: str, only: tuple[str, ...]) -> bool:
    return not only or any(file == path or file.startswith(path.rstrip("/") + "/") for path in only)


def passages(scripts: Iterable[Script]) -> Iterator[StatementText]:
    """Yield the statements of the scripts, in order."""
    for number, script in enumerate(scripts):
        end = 0
        for place, statement in enumerate(script.statements):
            above = _above(script.source.text[end : statement.start], first=place == 0)
            end = statement.end
            text = f"{above}{statement.text};"
            yield StatementText((number, place), script.source.file, statement, targets(statement), text)


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
    """Return the statement as CREATE INDEX CONCURRENTLY, which does not block writes."""
    return re.sub(
        r"^(create\s+(?:unique\s+)?index\s+)(?:concurrently\s+)?",
        r"\1concurrently ",
        text,
        count=1,
        flags=re.I | re.M,
    )


def _above(gap: str, *, first: bool) -> str:
    """Return the comment lines directly above a statement, without the card of a table."""
    gap = _CARD.sub("", gap.lstrip("\n"), count=1) if first else gap.partition("\n")[2]
    lines = [line for line in gap.split("\n") if line.strip()]
    return "".join(f"{line}\n" for line in lines)
