"""Walking PostgreSQL's parse trees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pglast.ast

ast: Any = pglast.ast
"""The classes of nodes. Untyped: the stubs call every field optional, also those the grammar always sets."""

_CHILDREN: dict[type, tuple[str, ...]] = {}


def walk(tree: Any) -> Iterator[tuple[Any, Any, str]]:
    """Every node of a tree, with the node that holds it and the name of its field."""
    pending: list[tuple[Any, Any, str]] = [(tree, None, "")]
    while pending:
        node, parent, name = pending.pop()
        if isinstance(node, tuple):
            pending.extend((child, parent, name) for child in reversed(node))
        elif isinstance(node, ast.Node):
            yield node, parent, name
            for child_name in reversed(_children(type(node))):
                child = getattr(node, child_name)
                if child is not None:
                    pending.append((child, node, child_name))


def strings(names: Any) -> tuple[str, ...]:
    """The words of a dotted name, for the list of strings that a tree holds."""
    return tuple(part.sval for part in names if isinstance(part, ast.String))


def option(options: Any, name: str) -> Any:
    """The value of an option such as `language` in the list of a statement's options."""
    return next((found.arg for found in options or () if found.defname == name), None)


def _children(kind: type) -> tuple[str, ...]:
    """The fields of a node that may hold nodes; all the others are words and numbers."""
    if kind not in _CHILDREN:
        fields: dict[str, Any] = {}
        for base in kind.__mro__:
            slots = getattr(base, "__slots__", None)
            if isinstance(slots, dict):
                fields = slots | fields
        _CHILDREN[kind] = tuple(
            name for name, slot in fields.items() if slot.c_type.endswith("*") and slot.c_type != "char*"
        )
    return _CHILDREN[kind]
