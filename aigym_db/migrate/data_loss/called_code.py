"""Code that a statement executes without containing it: functions, DO blocks, dynamic SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_PLACEHOLDER = re.compile(r"%(?:\d+\$)?-?\d*([sIL%])")
_FILLED = {"s": "something", "I": "something", "L": "'something'", "%": "%"}


class DynamicSql(Exception):
    """The text of a statement is only known at run time."""


def called_functions(tree: Any) -> Iterator[str]:
    """Yield the functions that a statement calls, named as in the statement."""
    from aigym_db.syntax.tree import walk, words

    for node, _, _ in walk(tree):
        if type(node).__name__ == "FuncCall":
            yield ".".join(words(node.funcname))


def block_statements(block: Any) -> Iterator[Any]:
    """Yield the parse trees of all statements in a DO block.

    Raise DynamicSql if a statement cannot be parsed, e.g. because it is built at run time.
    """
    from pglast import parse_sql
    from pglast.parser import ParseError
    from pglast.stream import RawStream

    from aigym_db.syntax.body import expressions

    try:
        texts = []
        for expression in expressions(RawStream()(block)):
            texts.append(expression.sql)
            if expression.kind == "executed":
                texts.append(_executed(expression.sql))
        for text in texts:
            for raw in parse_sql(text):
                yield raw.stmt
    except ParseError:
        raise DynamicSql from None


def _executed(expression: str) -> str:
    """Return the statement that EXECUTE runs if `select …` selects a literal or a call of `format`."""
    from pglast import parse_sql

    select: Any = parse_sql(expression)[0].stmt
    value = select.targetList[0].val
    if type(value).__name__ == "FuncCall" and value.funcname[-1].sval == "format":
        return _PLACEHOLDER.sub(lambda mark: _FILLED[mark[1]], _constant(value.args[0]))
    return _constant(value)


def _constant(value: Any) -> str:
    text = getattr(getattr(value, "val", None), "sval", None)
    if text is None:
        raise DynamicSql
    return str(text)
