"""Proofs from the constraints of a table."""

from __future__ import annotations

from typing import Any

from pglast import ast
from pglast.enums import NullTestType

from aigym_db.lint.objects import Relation
from aigym_db.syntax.tree import column_names, conjuncts, is_a


def proves_not_null(table: Relation, column: str) -> bool:
    """Return True if a valid constraint excludes nulls in a column, so that SET NOT NULL does not scan."""
    known = table.columns.get(column)
    if known is not None and known.not_null:
        return True
    return any(
        constraint.kind == "check"
        and constraint.validated
        and any(_is_not_null_test(part, column) for part in conjuncts(constraint.expression))
        for constraint in table.constraints.values()
    )


def proves_bound(table: Relation, column: str) -> bool:
    """Return True if a validated CHECK contains a column. ATTACH PARTITION without a scan requires one."""
    return any(
        constraint.kind == "check" and constraint.validated and column in column_names(constraint.expression)
        for constraint in table.constraints.values()
    )


def _is_not_null_test(part: Any, column: str) -> bool:
    return (
        is_a(part, ast.NullTest)
        and part.nulltesttype == NullTestType.IS_NOT_NULL
        and is_a(part.arg, ast.ColumnRef)
        and column_names(part.arg) == {column}
    )
