"""Conditions that are true, or false, for every row.

Nulls are ignored: `id = id` is considered true because it is true for every row with an id.
"""

from __future__ import annotations

import operator
from typing import Any

from pglast import ast
from pglast.enums import A_Expr_Kind, BoolExprType, BoolTestType, NullTestType, SubLinkType

from aigym_db.syntax.tree import constant, is_a, nodes

_COMPARISONS = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TRUE_IF_EQUAL = {"=", "<=", ">="}
_FALSE_IF_EQUAL = {"<>", "!=", "<", ">"}
_TRUTHS = {"t": True, "true": True, "on": True, "yes": True, "1": True} | {
    "f": False,
    "false": False,
    "off": False,
    "no": False,
    "0": False,
}


def is_true(expression: Any, never_null: frozenset[str] = frozenset()) -> bool:
    """Return True if a condition is true for every row; `never_null` names the NOT NULL columns."""
    return fold(expression, never_null) is True


def fold(node: Any, never_null: frozenset[str] = frozenset()) -> bool | None:
    """Return True or False if a condition has that value for every row, else None."""
    if is_a(node, ast.BoolExpr):
        return _fold_logic(node, never_null)
    if is_a(node, ast.A_Expr):
        return _fold_operator(node, never_null)
    if is_a(node, ast.TypeCast):
        value = constant(node)
        return _TRUTHS.get(value.strip().lower()) if isinstance(value, str) else fold(node.arg, never_null)
    if is_a(node, ast.A_Const):
        value = constant(node)
        return value if isinstance(value, bool) else None
    if is_a(node, ast.NullTest):
        return _fold_null_test(node, never_null)
    if is_a(node, ast.BooleanTest):
        return _fold_boolean_test(node, never_null)
    if is_a(node, ast.CoalesceExpr):
        first = fold(node.args[0], never_null)
        return first if first is not None else _same(fold(item, never_null) for item in node.args)
    if is_a(node, ast.CaseExpr):
        results = [item.result for item in node.args] + ([node.defresult] if node.defresult else [])
        return _same(fold(item, never_null) for item in results) if node.defresult else None
    if is_a(node, ast.SubLink):
        return _fold_subquery(node, never_null)
    return None


def _fold_logic(node: Any, never_null: frozenset[str]) -> bool | None:
    values = [fold(item, never_null) for item in node.args]
    if node.boolop == BoolExprType.NOT_EXPR:
        return None if values[0] is None else not values[0]
    dominant: bool = node.boolop == BoolExprType.OR_EXPR
    if dominant in values or _has_opposites(node.args):
        return dominant
    return None if None in values else not dominant


def _has_opposites(items: tuple[Any, ...]) -> bool:
    """Return whether the operands include `x` and `not x`, or `a is null` and `a is not null`."""
    negated = [
        item.args[0] for item in items if is_a(item, ast.BoolExpr) and item.boolop == BoolExprType.NOT_EXPR
    ]
    if any(item == other for item in items for other in negated):
        return True
    tests = [item for item in items if is_a(item, ast.NullTest)]
    return any(
        test.arg == other.arg and test.nulltesttype != other.nulltesttype for test in tests for other in tests
    )


def _fold_operator(node: Any, never_null: frozenset[str]) -> bool | None:
    name = node.name[-1].sval if node.name else ""
    left, right = node.lexpr, node.rexpr
    if node.kind == A_Expr_Kind.AEXPR_IN:
        if is_a(left, ast.ColumnRef) and name == "=" and any(item == left for item in right):
            return True
        same = [_compare("=", left, item) for item in right]
        inside = True if True in same else (False if None not in same else None)
        return inside if name == "=" or inside is None else not inside
    if node.kind in (A_Expr_Kind.AEXPR_DISTINCT, A_Expr_Kind.AEXPR_NOT_DISTINCT):
        same_value = _compare("=", left, right)
        if same_value is None:
            return None
        return same_value if node.kind == A_Expr_Kind.AEXPR_NOT_DISTINCT else not same_value
    if node.kind == A_Expr_Kind.AEXPR_LIKE and constant(right) == "%":
        return name == "~~"
    if node.kind != A_Expr_Kind.AEXPR_OP or left is None or right is None:
        return None
    return _compare(name, left, right)


def _compare(name: str, left: Any, right: Any) -> bool | None:
    if left == right and not _may_differ(left):
        return True if name in _TRUE_IF_EQUAL else (False if name in _FALSE_IF_EQUAL else None)
    first, second = constant(left), constant(right)
    if name in _COMPARISONS and first is not None and second is not None and type(first) is type(second):
        return bool(_COMPARISONS[name](first, second))
    first, second = fold(left), fold(right)
    if name in _COMPARISONS and first is not None and second is not None:
        return bool(_COMPARISONS[name](first, second))
    return None


def _may_differ(node: Any) -> bool:
    """Return whether two evaluations may differ: volatile calls, and NULL, which is not equal to itself."""
    return any(
        is_a(item, ast.FuncCall) and item.funcname[-1].sval in ("random", "clock_timestamp")
        for item in nodes(node)
    ) or (is_a(node, ast.A_Const) and bool(node.isnull))


def _fold_null_test(node: Any, never_null: frozenset[str]) -> bool | None:
    negative: bool = node.nulltesttype == NullTestType.IS_NOT_NULL
    if is_a(node.arg, ast.A_Const):
        return bool(node.arg.isnull) != negative
    if is_a(node.arg, ast.ColumnRef) and getattr(node.arg.fields[-1], "sval", "") in never_null:
        return negative
    return None


def _fold_boolean_test(node: Any, never_null: frozenset[str]) -> bool | None:
    value = fold(node.arg, never_null)
    if value is None:
        return None
    test = node.booltesttype
    if test in (BoolTestType.IS_UNKNOWN, BoolTestType.IS_NOT_UNKNOWN):
        return bool(test == BoolTestType.IS_NOT_UNKNOWN)
    return value == (test in (BoolTestType.IS_TRUE, BoolTestType.IS_NOT_FALSE))


def _fold_subquery(node: Any, never_null: frozenset[str]) -> bool | None:
    query = node.subselect
    if not is_a(query, ast.SelectStmt) or query.fromClause or query.whereClause or query.havingClause:
        return None
    if query.limitCount or query.limitOffset or not query.targetList:
        return None
    if node.subLinkType == SubLinkType.EXISTS_SUBLINK:
        return True
    if node.subLinkType == SubLinkType.EXPR_SUBLINK:
        return fold(query.targetList[0].val, never_null)
    return None


def _same(values: Any) -> bool | None:
    """Return the common value if all values are equal, else None."""
    distinct = set(values)
    return distinct.pop() if len(distinct) == 1 else None
