"""`-- allow <rule>: <reason>`: a finding that somebody has decided to live with.

The comment stands directly above a statement, inside it, or behind it on its last line. It covers that
statement and what is found in it, also later: an allow above CREATE POLICY covers what the finished chain
says about that policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pglast.parser import ParseError, scan

from aigym_db.lint.section import Section, Spot
from aigym_db.model.sql import Statement
from aigym_db.syntax.mask import sql_only

_MENTIONED = re.compile(r"--\s*allow\b", re.IGNORECASE)
_ALLOW = re.compile(r"--\s*allow\s+(?P<rule>[\w-]+)\s*(?::\s*(?P<reason>.*\S)?)?\s*$", re.IGNORECASE)
_LINE_COMMENT = re.compile(r"--[^\n]*")


@dataclass(slots=True, eq=False)
class Allow:
    """One allow comment."""

    rule: str
    reason: str
    spot: Spot
    covers: Statement | None
    """None: no statement is directly below it."""
    exists: bool = False
    """There is a rule by this name."""
    asked: bool = False
    """The rule has been run over this passage, so that `used` says something."""
    used: bool = False

    def matches(self, rule: str, spot: Spot) -> bool:
        """Whether it covers a finding of a rule at a place."""
        return (
            self.rule == rule
            and self.covers is not None
            and self.covers.source is spot.statement.source
            and self.covers.start <= spot.statement.start
            and spot.statement.end <= self.covers.end
        )


def allows(passage: Section, statements: Sequence[Statement], start: int, end: int) -> Iterator[Allow]:
    """The allow comments in a stretch of the passage's text, each with the statement it covers."""
    text = passage.source.text
    if not _MENTIONED.search(text, start, end):
        return
    for left, right in _line_comments(text, start, end):
        written = _ALLOW.match(text[left:right])
        if written is None:
            continue
        covers = _covered(text, statements, left, right)
        whole = covers or Statement(passage.source, left, right, None)
        yield Allow(written["rule"].lower(), written["reason"] or "", Spot(passage, whole, left), covers)


def _line_comments(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    try:
        tokens = scan(sql_only(text, start, end))
    except ParseError:
        for found in _LINE_COMMENT.finditer(text, start, end):
            yield found.span()
        return
    for token in tokens:
        if token.name == "SQL_COMMENT":
            yield start + token.start, start + token.end + 1


def _covered(text: str, statements: Sequence[Statement], left: int, right: int) -> Statement | None:
    for statement in statements:
        if statement.start <= left < statement.end:
            return statement
        behind = text[statement.end : left]
        if statement.end <= left and not behind.strip(" \t;") and "\n" not in behind:
            return statement
        if statement.start >= right:
            return statement if _directly_above(text[right : statement.start]) else None
    return None


def _directly_above(between: str) -> bool:
    """Whether nothing but further comments stands between a comment's end and a statement: no empty "
    "line."""
    lines = between.split("\n")[1:]
    return (
        all(line.strip().startswith("--") for line in lines[:-1]) and not lines[-1].strip()
        if lines
        else False
    )
