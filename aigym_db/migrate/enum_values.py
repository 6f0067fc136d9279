"""Use of enum values before the transaction that adds them is committed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aigym_db.errors import ForbiddenStatement
from aigym_db.model.source import Place
from aigym_db.syntax.quote import literal


class NewValues:
    """Enum values added in a transaction: PostgreSQL rejects their use before the commit.

    Detected are casts to the type and defaults of columns of the type. Other uses are rejected by the server,
    and the file is rolled back.
    """

    def __init__(self) -> None:
        self.created_types: set[str] = set()
        self.added: dict[str, str] = {}
        """Maps each new value to its type."""

    def check(self, text: str, tree: Any, place: Callable[[int], Place]) -> None:
        """Record the values a statement adds; raise ForbiddenStatement (AIG-P010) if it uses one of them.

        `tree` may be None for a statement that cannot add values. `place` returns the place of a character of
        `text`.
        """
        kind = type(tree).__name__
        if kind == "CreateEnumStmt":
            self.created_types.add(tree.typeName[-1].sval)
        elif kind == "AlterEnumStmt" and tree.newVal and not tree.oldVal:
            name = tree.typeName[-1].sval
            # PostgreSQL allows all values of a type created in the same transaction.
            if name not in self.created_types:
                self.added[tree.newVal] = name
            return
        for value, name in self.added.items():
            index = text.find(literal(value))
            if index >= 0 and (value, name) in _typed_constants(text):
                raise ForbiddenStatement(
                    f"{literal(value)} is used in the transaction that adds it to the type {name}, which "
                    "PostgreSQL rejects.",
                    place=place(index),
                    hint="Put the use of the new value into the next migration.",
                )


def _typed_constants(text: str) -> set[tuple[str, str]]:
    """Return the string constants of a statement that are cast to a type, each with the name of the type."""
    from pglast.parser import parse_sql

    from aigym_db.syntax.tree import ast, nodes

    constants: set[tuple[str, str]] = set()
    for node in nodes(parse_sql(text)):
        if isinstance(node, ast.TypeCast):
            pairs = [(node.arg, node.typeName)]
        elif isinstance(node, ast.ColumnDef) and node.typeName:
            pairs = [(constraint.raw_expr, node.typeName) for constraint in node.constraints or ()]
        else:
            continue
        for value, kind in pairs:
            while isinstance(value, ast.TypeCast):
                value = value.arg
            if isinstance(value, ast.A_Const) and isinstance(value.val, ast.String):
                constants.add((value.val.sval or "", kind.names[-1].sval))
    return constants
