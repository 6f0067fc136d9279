"""Split a migration into statements and check them before anything is sent to the server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from aigym_db.errors import AigymError, BadSql
from aigym_db.migrate.enum_values import NewValues
from aigym_db.migrate.forbidden_statements import (
    check_allowed,
    check_dump_transactional,
    check_nul,
    unterminated_data,
)
from aigym_db.migrate.step import Step
from aigym_db.model.migration import Part

_FIRST = re.compile(
    r"(?:begin|start|commit|end|rollback|abort|savepoint|release|prepare|deallocate|set|reset|discard|vacuum|"
    r"reindex|cluster|copy|checkpoint|listen|load)\b",
    re.IGNORECASE,
)
_DEFINING = re.compile(r"(?:create|drop|alter)\b", re.IGNORECASE)
_DEFINED = re.compile(
    r"\b(?:concurrently|database|tablespace|system|subscription|value|temp|temporary|enum)\b", re.IGNORECASE
)


def steps(part: Part) -> tuple[Step, ...]:
    """Return the statements of a part, in order.

    Raise BadSql (AIG-P005) if PostgreSQL rejects the text, ForbiddenStatement (AIG-P010) if a statement is
    not allowed. Only statements with certain words are parsed into trees: splitting 500 files takes 5 ms,
    parsing them 250 ms.
    """
    from aigym_db.syntax.mask import sql_only

    check_nul(part)
    exceptional = part.rows or part.instead
    text = sql_only(part.source.text, part.start, part.end) if exceptional else part.text
    steps = tuple(_split(part, part.start, part.end, text))
    if not part.transaction and exceptional:
        check_dump_transactional(part)
    values = NewValues()
    for step in steps:
        check_allowed(part, step, values)
    return steps


def inspect(part: Part) -> None:
    """Check a part of any length; raise the errors of `steps`.

    Nothing is kept in memory. Plain rows, which are neither transaction control nor settings, are not parsed:
    50 MB of them would take 1.2 s.
    """
    from aigym_db.syntax.split import segments

    check_nul(part)
    values = NewValues()
    for piece in part.pieces():
        if piece.rows is not None:
            for step in _split(part, piece.start, piece.end, part.source.text[piece.start : piece.end]):
                check_allowed(part, step, values)
        elif piece.instead is None:
            for segment in segments(part.source.text, piece.start, piece.end, part.runs):
                if segment.kind != "run":
                    text = part.source.text[segment.start : segment.end]
                    for step in _split(part, segment.start, segment.end, text):
                        check_allowed(part, step, values)


def _split(part: Part, start: int, end: int, text: str) -> Iterator[Step]:
    """Return the statements of `start:end` of a part; `text` is that range as SQL."""
    from pglast.parser import ParseError

    from aigym_db.syntax.parse import split_sql

    try:
        slices = split_sql(text)
    except (ParseError, UnicodeError) as error:
        raise _bad(part, start, end, error) from None
    instead = {statement.start: statement.text for statement in part.instead}
    for piece in slices:
        step = Step(part.source, start + piece.start, start + piece.stop)
        replaced = instead.get(step.start)
        if replaced is not None:
            yield Step(part.source, step.start, step.end, instead=replaced)
        elif part.transaction and not _suspicious(step.text):
            yield step
        else:
            yield Step(part.source, step.start, step.end, _tree(step))


def _suspicious(text: str) -> bool:
    if _DEFINING.match(text):
        return _DEFINED.search(text) is not None
    return _FIRST.match(text) is not None


def _tree(step: Step) -> Any:
    from pglast.parser import parse_sql

    return parse_sql(step.text)[0].stmt


def _bad(part: Part, start: int, end: int, error: Exception) -> AigymError:
    from aigym_db.syntax.parse import parse_part
    from aigym_db.syntax.split import unterminated_copy

    copy = unterminated_copy(part.source.text, start, part.end)
    if copy is not None:
        return unterminated_data(part, copy)
    try:
        parse_part(part.source, start, end)
    except AigymError as bad:
        return bad
    return BadSql(f"Invalid SQL: {error}.", place=part.source.place(start))
