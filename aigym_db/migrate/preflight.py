"""A migration is read as PostgreSQL reads it before a byte of it is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from aigym_db.errors import AigymError, BadSql
from aigym_db.migrate.enum_values import NewValues
from aigym_db.migrate.forbidden_statements import (
    refuse_dump_outside,
    refuse_misplaced,
    refuse_nul,
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
    """The statements of a part, in order, after none of them was found to be out of place.

    Raises BadSql (AIG-P005) and ForbiddenStatement (AIG-P010). Only statements whose words make them
    suspicious are turned into trees: splitting 500 files takes 5 ms, a tree of each 250 ms.
    """
    from aigym_db.syntax.mask import sql_only

    refuse_nul(part)
    exceptional = part.rows or part.instead
    text = sql_only(part.source.text, part.start, part.end) if exceptional else part.text
    found = tuple(_split(part, part.start, part.end, text))
    if not part.transaction and exceptional:
        refuse_dump_outside(part)
    values = NewValues()
    for step in found:
        refuse_misplaced(part, step, values)
    return found


def inspect(part: Part) -> None:
    """Nothing, when no statement of a part of any length is out of place; raises what `steps` raises.

    Keeps nothing of what it read. Plain rows, which are neither transaction control nor settings, are left to
    the server: turning 50 MB of them into trees takes 1.2 s.
    """
    from aigym_db.syntax.split import segments

    refuse_nul(part)
    values = NewValues()
    for piece in part.pieces():
        if piece.rows is not None:
            for step in _split(part, piece.start, piece.end, part.source.text[piece.start : piece.end]):
                refuse_misplaced(part, step, values)
        elif piece.instead is None:
            for found in segments(part.source.text, piece.start, piece.end, part.runs):
                if found.kind != "run":
                    text = part.source.text[found.start : found.end]
                    for step in _split(part, found.start, found.end, text):
                        refuse_misplaced(part, step, values)


def _split(part: Part, start: int, end: int, text: str) -> Iterator[Step]:
    """The statements of a stretch of a part; `text` is that stretch as SQL."""
    from pglast.parser import ParseError

    from aigym_db.syntax.parse import split_sql

    try:
        slices = split_sql(text)
    except (ParseError, UnicodeError) as error:
        raise _bad(part, start, end, error) from None
    instead = {one.start: one.text for one in part.instead}
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
    except AigymError as refusal:
        return refusal
    return BadSql(f"PostgreSQL does not understand the SQL: {error}.", place=part.source.place(start))
