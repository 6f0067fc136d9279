"""Every way of leaving one part out of a condition: what a careless edit of a policy or helper would do."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any


def of_expression(text: str) -> Iterator[tuple[str, str]]:
    """(what is left out, the expression without it) for each operand of AND and OR and each WHERE inside."""
    from pglast import parse_sql
    from pglast.stream import RawStream

    statement = parse_sql(f"select {text}")[0].stmt
    for what, changed in _variants(statement):
        yield what, RawStream()(changed)[len("SELECT ") :]


def of_sql(body: str) -> Iterator[tuple[str, str]]:
    """The same for the body of a function in SQL."""
    from pglast import parse_sql
    from pglast.stream import RawStream

    for what, changed in _variants(tuple(raw.stmt for raw in parse_sql(body))):
        yield what, "; ".join(RawStream()(statement) for statement in changed)


def of_plpgsql(definition: str, body: str) -> Iterator[tuple[str, str]]:
    """The same for the body of a function in PL/pgSQL, given its CREATE FUNCTION too."""
    from pglast.parser import parse_plpgsql_json

    for query in dict.fromkeys(_queries(json.loads(parse_plpgsql_json(definition)))):
        if body.count(query) == 0:
            continue
        for what, changed in _query_variants(query):
            yield what, body.replace(query, changed, 1)


def _query_variants(query: str) -> Iterator[tuple[str, str]]:
    from pglast.parser import ParseError

    try:
        yield from of_sql(query)
    except ParseError:
        yield from _assignment_or_expression(query)


def _assignment_or_expression(query: str) -> Iterator[tuple[str, str]]:
    from pglast.parser import ParseError

    target, assigned, value = query.partition(":=")
    try:
        for what, changed in of_expression(value if assigned else query):
            yield what, f"{target}:= {changed}" if assigned else changed
    except ParseError:
        return


def _queries(node: Any) -> Iterator[str]:
    """Every query and expression in the parse tree of a PL/pgSQL function."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "PLpgSQL_expr":
                yield value["query"]
            else:
                yield from _queries(value)
    elif isinstance(node, list):
        for one in node:
            yield from _queries(one)


def _variants(node: Any) -> Iterator[tuple[str, Any]]:
    """(what is left out, the node without it), one part at a time."""
    from pglast import ast
    from pglast.enums import BoolExprType
    from pglast.stream import RawStream

    from aigym_db.syntax.tree import child_fields

    if isinstance(node, tuple):
        for index, item in enumerate(node):
            for what, changed in _variants(item):
                yield what, (*node[:index], changed, *node[index + 1 :])
        return
    if not isinstance(node, ast.Node):
        return
    if (
        isinstance(node, ast.BoolExpr)
        and node.args
        and node.boolop in (BoolExprType.AND_EXPR, BoolExprType.OR_EXPR)
    ):
        for index, operand in enumerate(node.args):
            rest = (*node.args[:index], *node.args[index + 1 :])
            yield RawStream()(operand), rest[0] if len(rest) == 1 else _with(node, "args", rest)
    if isinstance(node, ast.SelectStmt) and node.whereClause is not None:
        yield f"WHERE {RawStream()(node.whereClause)}", _with(node, "whereClause", None)
    for slot in child_fields(type(node)):
        for what, changed in _variants(getattr(node, slot)):
            yield what, _with(node, slot, changed)


def _with(node: Any, slot: str, value: Any) -> Any:
    changed = copy.copy(node)
    setattr(changed, slot, value)
    return changed
