"""A passage as statements, also when some of it does not parse."""

from __future__ import annotations

from collections.abc import Iterator

from pglast.parser import ParseError, Token, scan

from aigym_db.errors import BadSql
from aigym_db.lint.section import Section
from aigym_db.model.finding import Finding
from aigym_db.model.sql import Statement
from aigym_db.syntax.mask import sql_only
from aigym_db.syntax.parse import parse_part


def read(passage: Section) -> tuple[tuple[Statement, ...], tuple[Finding, ...]]:
    """The statements of a passage, and a finding for each that PostgreSQL's parser does not take."""
    if passage.script is not None:
        return passage.script.statements, ()
    try:
        return parse_part(passage.source, passage.start, passage.end), ()
    except BadSql as error:
        return _piecewise(passage, error)


def _piecewise(passage: Section, whole: BadSql) -> tuple[tuple[Statement, ...], tuple[Finding, ...]]:
    pieces = tuple(_pieces(passage))
    findings: list[Finding] = []

    def taken(first: int, last: int) -> Iterator[Statement]:
        """Halves what does not parse until the pieces that do not are alone: few errors cost few attempts."""
        try:
            yield from parse_part(passage.source, pieces[first][0], pieces[last][1])
        except BadSql as error:
            if first == last:
                findings.append(finding(error))
                return
            middle = (first + last) // 2
            yield from taken(first, middle)
            yield from taken(middle + 1, last)

    statements = tuple(taken(0, len(pieces) - 1)) if pieces else ()
    return statements, tuple(findings) or (finding(whole),)


def finding(error: BadSql) -> Finding:
    """What the parser refused, as a finding."""
    return Finding("bad-sql", error.code, "error", error.message, error.place, error.hint)


def _pieces(passage: Section) -> Iterator[tuple[int, int]]:
    """Where each statement starts and ends; from a quote that never closes on, all is the last piece."""
    text = sql_only(passage.source.text, passage.start, passage.end)
    readable, tokens = _scanned(text)
    at, inside = 0, _Inside()
    for token in tokens:
        if inside.ends_at(token):
            yield passage.start + at, passage.start + token.end + 1
            at, inside = token.end + 1, _Inside()
    if text[at:].strip():
        yield passage.start + at, passage.start + (readable if at < readable < len(text) else len(text))
    if at < readable < len(text):
        yield passage.start + readable, passage.end


def _scanned(text: str) -> tuple[int, list[Token]]:
    """The tokens of a text, up to the last semicolon before the scanner fails, and how far that is."""
    try:
        return len(text), scan(text)
    except ParseError as error:
        # pglast 8.7 reads the character index of an error as if it counted bytes; this undoes it, nearly.
        index = error.args[1] if isinstance(error.args[-1], int) else len(text)
        end = text.rfind(";", 0, len(text[:index].encode()) + 4)
        while end >= 0:
            try:
                return end + 1, scan(text[: end + 1])
            except ParseError:
                end = text.rfind(";", 0, end)
    return 0, []


class _Inside:
    """What of a statement is open: semicolons in BEGIN ATOMIC … END and in a rule's actions do not count."""

    def __init__(self) -> None:
        self.blocks = self.parentheses = 0
        self.rule = False
        self.before = ""

    def ends_at(self, token: Token) -> bool:
        """Whether the token ends the statement."""
        name = token.name
        if name == "ATOMIC" and self.before == "BEGIN_P":
            self.blocks = 1
        elif self.blocks and name in ("CASE", "END_P"):
            self.blocks += 1 if name == "CASE" else -1
        self.rule = self.rule or name == "RULE"
        if self.rule:
            self.parentheses += {"ASCII_40": 1, "ASCII_41": -1}.get(name, 0)
        self.before = name
        return name == "ASCII_59" and not self.blocks and self.parentheses <= 0
