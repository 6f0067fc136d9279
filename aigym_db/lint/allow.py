"""Allow comments: `-- allow <rule>: <reason>` suppresses findings of a rule.

The comment stands directly above a statement, inside it, or after it on its last line. It covers that
statement and everything inside it, including findings about the finished catalog: an allow comment above
CREATE POLICY covers the findings about that policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pglast.parser import ParseError, scan

from aigym_db.lint.section import Section, Spot
from aigym_db.model.sql import Statement
from aigym_db.syntax.mask import sql_only

_CANDIDATE = re.compile(r"--\s*allow\b", re.IGNORECASE)
_ALLOW = re.compile(r"--\s*allow\s+(?P<rule>[\w-]+)\s*(?::\s*(?P<reason>.*\S)?)?\s*$", re.IGNORECASE)
_LINE_COMMENT = re.compile(r"--[^\n]*")


@dataclass(frozen=True, slots=True, eq=False)
class Allow:
    """An allow comment."""

    rule: str
    reason: str
    spot: Spot
    covers: Statement | None
    """None if no statement follows it directly; the comment then suppresses nothing."""

    def matches(self, rule: str, spot: Spot) -> bool:
        """Return True if the comment names `rule` and covers the statement that contains `spot`."""
        return (
            self.rule == rule
            and self.covers is not None
            and self.covers.source is spot.statement.source
            and self.covers.start <= spot.statement.start
            and spot.statement.end <= self.covers.end
        )


@dataclass(frozen=True, slots=True)
class CheckedAllow:
    """An allow comment after all other rules have been checked: whether it suppressed a finding."""

    comment: Allow
    exists: bool
    """True if a rule of that name exists."""
    unused: bool
    """The rule exists, has been checked in this section, and the comment suppressed no finding of it."""


def allows(section: Section, statements: Sequence[Statement], start: int, end: int) -> Iterator[Allow]:
    """Yield the allow comments in `text[start:end]` of a section's source, each with the statement it covers.

    `statements` are those in the range, in order. Comments inside strings do not count.
    """
    text = section.source.text
    if not _CANDIDATE.search(text, start, end):
        return
    for left, right in _line_comments(text, start, end):
        comment = _ALLOW.match(text[left:right])
        if comment is None:
            continue
        covers = _covered(text, statements, left, right)
        statement = covers or Statement(section.source, left, right, None)
        yield Allow(comment["rule"].lower(), comment["reason"] or "", Spot(section, statement, left), covers)


def _line_comments(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    try:
        tokens = scan(sql_only(text, start, end))
    except ParseError:
        for comment in _LINE_COMMENT.finditer(text, start, end):
            yield comment.span()
        return
    for token in tokens:
        if token.name == "SQL_COMMENT":
            yield start + token.start, start + token.end + 1


def _covered(text: str, statements: Sequence[Statement], left: int, right: int) -> Statement | None:
    for statement in statements:
        if statement.start <= left < statement.end:
            return statement
        between = text[statement.end : left]
        if statement.end <= left and not between.strip(" \t;") and "\n" not in between:
            return statement
        if statement.start >= right:
            return statement if _only_comments(text[right : statement.start]) else None
    return None


def _only_comments(between: str) -> bool:
    """Return whether only comments, and no empty line, are between a comment and a statement."""
    lines = between.split("\n")[1:]
    return (
        all(line.strip().startswith("--") for line in lines[:-1]) and not lines[-1].strip()
        if lines
        else False
    )
