"""Read PostgreSQL's parse trees: walk nodes, read names, options and constants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pglast.ast
from pglast.enums import BoolExprType, RoleSpecType

ast: Any = pglast.ast
"""The classes of nodes. Untyped, because the stubs declare every field optional, also those the grammar
always
sets."""

PUBLIC = "public"
"""The pseudo-role PUBLIC in lists of roles; PostgreSQL reserves the name."""

_EMBEDDED = ("CreateStmt", "ValUnion")
"""Types of fields that contain a node itself, not a pointer: CREATE FOREIGN TABLE, constants."""
_CHILDREN: dict[type, tuple[str, ...]] = {}


def walk(tree: Any) -> Iterator[tuple[Any, Any, str]]:
    """Yield `(node, parent, field)` for every node of a tree, depth first; `field` is a field name."""
    pending: list[tuple[Any, Any, str]] = [(tree, None, "")]
    while pending:
        node, parent, name = pending.pop()
        if isinstance(node, tuple):
            pending.extend((child, parent, name) for child in reversed(node))
        elif isinstance(node, ast.Node):
            yield node, parent, name
            for child_name in reversed(child_fields(type(node))):
                child = getattr(node, child_name)
                if child is not None:
                    pending.append((child, node, child_name))


def nodes(tree: Any) -> Iterator[Any]:
    """Return every node of a tree, or of a tuple of trees, depth first."""
    return (node for node, _, _ in walk(tree))


def children(node: Any) -> Iterator[Any]:
    """Return the direct children of a node, of a tuple of nodes, or nothing for other values."""
    values = (
        node
        if isinstance(node, tuple)
        else (getattr(node, name) for name in child_fields(type(node)))
        if isinstance(node, ast.Node)
        else ()
    )
    for value in values:
        if isinstance(value, tuple):
            yield from children(value)
        elif isinstance(value, ast.Node):
            yield value


def child_fields(kind: type) -> tuple[str, ...]:
    """Return the fields of a node class that may contain nodes; the others are strings, numbers and enums."""
    if kind not in _CHILDREN:
        fields: dict[str, Any] = {}
        for base in kind.__mro__:
            slots = getattr(base, "__slots__", None)
            if isinstance(slots, dict):
                fields = slots | fields
        _CHILDREN[kind] = tuple(
            name
            for name, slot in fields.items()
            if slot.c_type in _EMBEDDED or (slot.c_type.endswith("*") and slot.c_type != "char*")
        )
    return _CHILDREN[kind]


def is_a(node: Any, *kinds: type) -> bool:
    """Return isinstance(node, kinds) without narrowing the type: pglast declares every field optional."""
    return isinstance(node, kinds)


def words(names: Any) -> tuple[str, ...]:
    """Return the texts of a list of String nodes, e.g. `("coach", "sessions")`; empty for None."""
    return tuple(name.sval for name in names or () if isinstance(name, ast.String))


def dotted(names: Any) -> str:
    """Return a list of String nodes as a dotted name, without quotes and without `pg_catalog.`."""
    parts = words(names)
    return ".".join(parts[1:] if parts[:1] == ("pg_catalog",) else parts)


def first_location(tree: Any) -> int | None:
    """Return the smallest location of a tree's nodes, or None if no node has one."""
    locations = (getattr(node, "location", None) for node in nodes(tree))
    return min((index for index in locations if isinstance(index, int) and index >= 0), default=None)


def option(elements: Any, name: str) -> Any:
    """Return the argument of a statement's option: True if it has none, None if the option is missing."""
    for element in elements or ():
        if element.defname == name:
            return True if element.arg is None else element.arg
    return None


def is_on(elements: Any, name: str) -> bool:
    """Return True if a Boolean option is on: `(concurrently)`, `(full true)`, `(security_invoker = on)`."""
    value = option(elements, name)
    if value is None or value is True:
        return value is True
    return option_text(value) in ("true", "on", "yes", "1")


def is_off(elements: Any, name: str) -> bool:
    """Return True if a Boolean option is written and is off, as in `with (connect = false)`."""
    value = option(elements, name)
    return value is not None and option_text(value) in ("false", "off", "no", "0")


def option_text(value: Any) -> str:
    """Return the argument of an option as text, in lower case: a word, a string, a number or a Boolean."""
    if is_a(value, ast.TypeName):  # `off` without quotes, which is no keyword
        return words(value.names)[-1].lower()
    return str(getattr(value, "sval", getattr(value, "ival", getattr(value, "boolval", value)))).lower()


def constant(node: Any) -> Any:
    """Return the Python value of a literal; None for NULL and for other expressions."""
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
    """Return the name of a role: `public` for PUBLIC, `current_user` and the like in lower case."""
    if spec.roletype == RoleSpecType.ROLESPEC_PUBLIC:
        return PUBLIC
    return str(spec.rolename) if spec.rolename else str(spec.roletype.name.removeprefix("ROLESPEC_")).lower()


def roles(specs: Any) -> tuple[str, ...]:
    """Return the names of a list of roles, each as `role` does; empty for None."""
    return tuple(role(spec) for spec in specs or ())


def column_names(tree: Any) -> frozenset[str]:
    """Return the names of all columns an expression references, without their tables."""
    return frozenset(
        node.fields[-1].sval
        for node in nodes(tree)
        if is_a(node, ast.ColumnRef) and is_a(node.fields[-1], ast.String)
    )


def conjuncts(node: Any) -> Iterator[Any]:
    """Return the operands of a chain of ANDs; the expression itself if it is not an AND."""
    return _operands(node, BoolExprType.AND_EXPR)


def disjuncts(node: Any) -> Iterator[Any]:
    """Return the operands of a chain of ORs; the expression itself if it is not an OR."""
    return _operands(node, BoolExprType.OR_EXPR)


def _operands(node: Any, operator: BoolExprType) -> Iterator[Any]:
    if is_a(node, ast.BoolExpr) and node.boolop == operator:
        for operand in node.args:
            yield from _operands(operand, operator)
    else:
        yield node
