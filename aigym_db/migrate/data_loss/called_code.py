"""Code that a statement runs and that is not in the statement: functions, blocks, texts put together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_PLACEHOLDER = re.compile(r"%(?:\d+\$)?-?\d*([sIL%])")
_FILLED = {"s": "something", "I": "something", "L": "'something'", "%": "%"}
_EXPRESSION = 2
"""The least `parseMode` of what is no statement: expressions and assignments."""


class NotReadable(Exception):
    """A text that is only known when it runs."""


def called(tree: Any) -> Iterator[str]:
    """The functions that a statement calls, as it names them."""
    from aigym_db.syntax.tree import strings, walk

    for node, _, _ in walk(tree):
        if type(node).__name__ == "FuncCall":
            yield ".".join(strings(node.funcname))


def inside(block: Any) -> Iterator[Any]:
    """The trees of all statements of a DO block.

    Raises NotReadable when there is one that nobody can read, e.g. because it is put together at run time.
    """
    from pglast import parse_plpgsql, parse_sql
    from pglast.parser import ParseError
    from pglast.stream import RawStream

    try:
        for text in list(_texts(parse_plpgsql(RawStream()(block)))):
            for raw in parse_sql(text):
                yield raw.stmt
    except ParseError:
        raise NotReadable from None


def _texts(node: Any) -> Iterator[str]:
    """Every SQL text in the tree of a block."""
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
    """What EXECUTE makes of a literal or of a call of `format`, and the expression itself."""
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
        raise NotReadable
    return str(text)
