"""A value added to an enum, and its use before it is committed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aigym_db.errors import ForbiddenStatement
from aigym_db.model.source import Place


class NewValues:
    """Values added to enums: before the commit, PostgreSQL refuses them wherever they are turned into one.

    Only where the text itself says so is that refused here: in a cast to the type and in the default of a
    column of it. Whether another string becomes one, the server knows, and its refusal takes the file back.
    """

    def __init__(self) -> None:
        self.made: set[str] = set()
        self.added: dict[str, str] = {}
        """The type by each new value."""

    def refuse(self, text: str, tree: Any, place: Callable[[int], Place]) -> None:
        """Takes in what a statement adds; refuses it when it uses what one before it added.

        `tree` may be None where nothing in the text makes it suspicious. Raises ForbiddenStatement (AIG-P010)
        at the `place` of the character.
        """
        kind = type(tree).__name__
        if kind == "CreateEnumStmt":
            self.made.add(tree.typeName[-1].sval)
        elif kind == "AlterEnumStmt" and tree.newVal and not tree.oldVal:
            name = tree.typeName[-1].sval
            # All values of a type that is just as new may be used.
            if name not in self.made:
                self.added[tree.newVal] = name
            return
        for value, name in self.added.items():
            quoted = "'" + value.replace("'", "''") + "'"
            at = text.find(quoted)
            if at >= 0 and (value, name) in _typed_constants(text):
                raise ForbiddenStatement(
                    f"{quoted} is used in the transaction that adds it to the type {name}, which "
                    "PostgreSQL refuses.",
                    place=place(at),
                    hint="Put the use of the new value into the next migration.",
                )


def _typed_constants(text: str) -> set[tuple[str, str]]:
    """Every string constant of a statement that the text gives a type, with the name of that."""
    from pglast import ast
    from pglast.parser import parse_sql
    from pglast.visitors import Visitor

    found: set[tuple[str, str]] = set()

    def take(node: Any, kind: Any) -> None:
        while isinstance(node, ast.TypeCast):
            node = node.arg
        if isinstance(node, ast.A_Const) and isinstance(node.val, ast.String) and kind is not None:
            found.add((node.val.sval or "", kind.names[-1].sval))

    class Constants(Visitor):
        def visit_TypeCast(self, _: Any, node: Any) -> None:  # noqa: N802
            take(node.arg, node.typeName)

        def visit_ColumnDef(self, _: Any, node: Any) -> None:  # noqa: N802
            for constraint in node.constraints or ():
                take(constraint.raw_expr, node.typeName)

    Constants()(parse_sql(text))
    return found
