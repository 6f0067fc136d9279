"""Parse a section into statements, also if some of them are invalid."""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.errors import BadSql
from aigym_db.lint.section import Section
from aigym_db.model.finding import Finding
from aigym_db.model.sql import Statement
from aigym_db.syntax import split
from aigym_db.syntax.parse import parse_part


def parse_section(section: Section) -> tuple[tuple[Statement, ...], tuple[Finding, ...]]:
    """Return the statements of a section that parse, in order, and a `bad-sql` finding for each other one."""
    if section.script is not None:
        return section.script.statements, ()
    try:
        return parse_part(section.source, section.start, section.end), ()
    except BadSql as error:
        return _piecewise(section, error)


def syntax_finding(error: BadSql) -> Finding:
    """Return the finding `bad-sql` for an error of the parser."""
    return Finding("bad-sql", error.code, "error", error.message, error.place, error.hint)


def _piecewise(section: Section, whole: BadSql) -> tuple[tuple[Statement, ...], tuple[Finding, ...]]:
    pieces = tuple(split.statements(section.source.text, section.start, section.end))
    findings: list[Finding] = []

    def parsed(first: int, last: int) -> Iterator[Statement]:
        """Bisect the pieces until each invalid one is alone: a few errors take few attempts."""
        try:
            yield from parse_part(section.source, pieces[first][0], pieces[last][1])
        except BadSql as error:
            if first == last:
                findings.append(syntax_finding(error))
                return
            middle = (first + last) // 2
            yield from parsed(first, middle)
            yield from parsed(middle + 1, last)

    statements = tuple(parsed(0, len(pieces) - 1)) if pieces else ()
    return statements, tuple(findings) or (syntax_finding(whole),)
