"""Reading pglast's nodes: names, options and everything below a node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pglast import ast
from pglast.enums import BoolExprType, RoleSpecType

PUBLIC = "public"
"""The name for everybody in lists of roles; no role can have it."""


def is_a(node: Any, *kinds: type) -> bool:
    """isinstance() that leaves the type as it is.

    pglast declares every field Optional, also those that the grammar always fills.
    """
    return isinstance(node, kinds)


def words(names: Any) -> tuple[str, ...]:
    """The texts of a list of String nodes, e.g. `("coach", "sessions")`."""
    return tuple(name.sval for name in names or () if is_a(name, ast.String))


def dotted(names: Any) -> str:
    """A qualified name as it is written, `pg_catalog.` left out."""
    parts = words(names)
    return ".".join(parts[1:] if parts[:1] == ("pg_catalog",) else parts)


def below(node: Any) -> Iterator[Any]:
    """A node and every node below it, in the order of the tree."""
    if is_a(node, ast.Node):
        yield node
        for name in node:
            value = getattr(node, name)
            if is_a(value, ast.Node, tuple):
                yield from below(value)
    elif isinstance(node, tuple):
        for item in node:
            yield from below(item)


def first_location(node: Any) -> int | None:
    """The smallest known location at or below a node."""
    known = [at for item in below(node) if isinstance(at := getattr(item, "location", None), int) and at >= 0]
    return min(known, default=None)


def option(elements: Any, name: str) -> Any:
    """The argument of an option of a statement, True when it has none, None when the option is not "
    "there."""
    for element in elements or ():
        if element.defname == name:
            return True if element.arg is None else element.arg
    return None


def said(elements: Any, name: str) -> bool:
    """Whether an on/off option is on, as in `(concurrently)`, `(full true)`, `with (security_invoker = "
    "on)`."""
    value = option(elements, name)
    if value is None or value is True:
        return value is True
    text = str(getattr(value, "sval", getattr(value, "ival", getattr(value, "boolval", value)))).lower()
    return text in ("true", "on", "yes", "1")


def constant(node: Any) -> Any:
    """The Python value of a literal, None for NULL and for anything that is no literal."""
    if is_a(node, ast.TypeCast):
        return constant(node.arg)
    if not is_a(node, ast.A_Const) or node.isnull:
        return None
    value = node.val
    if is_a(value, ast.Boolean):
        return value.boolval
    if is_a(value, ast.Integer):
        return value.ival
    if is_a(value, ast.Float):
        return float(value.fval)
    return value.sval if is_a(value, ast.String) else None


def role(spec: Any) -> str:
    """The name of a role, `public` for everybody."""
    if spec.roletype == RoleSpecType.ROLESPEC_PUBLIC:
        return PUBLIC
    return str(spec.rolename) if spec.rolename else str(spec.roletype.name.removeprefix("ROLESPEC_")).lower()


def roles(specs: Any) -> tuple[str, ...]:
    return tuple(role(spec) for spec in specs or ())


def column_names(node: Any) -> frozenset[str]:
    """The last names of every column an expression mentions."""
    return frozenset(
        item.fields[-1].sval
        for item in below(node)
        if is_a(item, ast.ColumnRef) and is_a(item.fields[-1], ast.String)
    )


def conjuncts(node: Any) -> Iterator[Any]:
    """The parts of an expression joined by AND."""
    if is_a(node, ast.BoolExpr) and node.boolop == BoolExprType.AND_EXPR:
        for part in node.args:
            yield from conjuncts(part)
    else:
        yield node


def disjuncts(node: Any) -> Iterator[Any]:
    """The parts of an expression joined by OR."""
    if is_a(node, ast.BoolExpr) and node.boolop == BoolExprType.OR_EXPR:
        for part in node.args:
            yield from disjuncts(part)
    else:
        yield node
