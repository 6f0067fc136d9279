"""Mutation operators that remove one part of a condition in a policy or a function."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any


def of_expression(text: str) -> Iterator[tuple[str, str]]:
    """Yield (removed part, remaining expression) for each operand of AND and OR and each WHERE clause.

    Raise `pglast.parser.ParseError` if the text is not an SQL expression.
    """
    from pglast import parse_sql
    from pglast.stream import RawStream

    statement = parse_sql(f"select {text}")[0].stmt
    for removed, changed in _variants(statement):
        yield removed, RawStream()(changed)[len("SELECT ") :]


def of_statements(text: str) -> Iterator[tuple[str, str]]:
    """Yield (removed part, remaining statements) for statements, as `of_expression` does.

    Raise `pglast.parser.ParseError` if the text is not SQL.
    """
    from pglast import parse_sql
    from pglast.stream import RawStream

    for removed, changed in _variants(tuple(raw.stmt for raw in parse_sql(text))):
        yield removed, "; ".join(RawStream()(statement) for statement in changed)


def _variants(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield (removed part, node without it), one part at a time."""
    from pglast import ast
    from pglast.enums import BoolExprType
    from pglast.stream import RawStream

    from aigym_db.syntax.tree import child_fields

    if isinstance(node, tuple):
        for index, item in enumerate(node):
            for removed, changed in _variants(item):
                yield removed, (*node[:index], changed, *node[index + 1 :])
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
    filtered = (ast.SelectStmt, ast.UpdateStmt, ast.DeleteStmt, ast.OnConflictClause)
    if isinstance(node, filtered) and node.whereClause is not None:
        yield f"WHERE {RawStream()(node.whereClause)}", _with(node, "whereClause", None)
    for slot in child_fields(type(node)):
        for removed, changed in _variants(getattr(node, slot)):
            yield removed, _with(node, slot, changed)


def _with(node: Any, slot: str, value: Any) -> Any:
    changed = copy.copy(node)
    setattr(changed, slot, value)
    return changed
