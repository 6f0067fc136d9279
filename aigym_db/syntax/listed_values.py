"""Read the values that a CHECK expression lists."""

from __future__ import annotations

from pglast.enums import A_Expr_Kind

from aigym_db.syntax.body import parse_expression
from aigym_db.syntax.tree import ast, nodes


def listed_values(expression: str) -> tuple[str, ...]:
    """Return the texts of an expression like `VALUE = ANY (ARRAY['a', 'b'])`, as the catalog prints it.

    Return an empty tuple for an expression of another form.
    """
    top = parse_expression(expression)
    if not (isinstance(top, ast.A_Expr) and top.kind == A_Expr_Kind.AEXPR_OP_ANY):
        return ()
    return tuple(
        node.val.sval
        for node in nodes(top.rexpr)
        if isinstance(node, ast.A_Const) and isinstance(node.val, ast.String)
    )
