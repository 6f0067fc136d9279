"""Code that a statement executes without containing it: functions, DO blocks, dynamic SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_PLACEHOLDER = re.compile(r"%(?:\d+\$)?-?\d*([sIL%])")
_FILLED = {"s": "something", "I": "something", "L": "'something'", "%": "%"}
_EXPRESSION = 2
"""The least `parseMode` of an expression or assignment; smaller values are statements."""


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
    from pglast import parse_plpgsql, parse_sql
    from pglast.parser import ParseError
    from pglast.stream import RawStream

    try:
        for text in list(_texts(parse_plpgsql(RawStream()(block)))):
            for raw in parse_sql(text):
                yield raw.stmt
    except ParseError:
        raise DynamicSql from None


def _texts(node: Any) -> Iterator[str]:
    """Yield every SQL text in the tree of a block."""
    if isinstance(node, list):
        for child in node:
            yield from _texts(child)
    elif isinstance(node, dict):
        dynamic = "dynquery" if "dynquery" in node else "query" if "query" in node else None
        for name, child in node.items():
            if name == "PLpgSQL_expr":
                text = child["query"]
                assigned = text.partition(":=")[2] or text
                yield text if child.get("parseMode", 0) < _EXPRESSION else f"select {assigned}"
            elif name == dynamic and isinstance(child, dict):
                yield from _dynamic(child) if _is_expression(child) else _texts(child)
            else:
                yield from _texts(child)


def _is_expression(child: dict[str, Any]) -> bool:
    return int(child.get("PLpgSQL_expr", {}).get("parseMode", 0)) >= _EXPRESSION


def _dynamic(child: dict[str, Any]) -> Iterator[str]:
    """Yield the expression after EXECUTE, and the statement if it is a literal or a call of `format`."""
    from pglast import parse_sql

    expression = f"select {child['PLpgSQL_expr']['query']}"
    yield expression
    select: Any = parse_sql(expression)[0].stmt
    value = select.targetList[0].val
    if type(value).__name__ == "FuncCall" and value.funcname[-1].sval == "format":
        yield _PLACEHOLDER.sub(lambda mark: _FILLED[mark[1]], _constant(value.args[0]))
    else:
        yield _constant(value)


def _constant(value: Any) -> str:
    text = getattr(getattr(value, "val", None), "sval", None)
    if text is None:
        raise DynamicSql
    return str(text)
