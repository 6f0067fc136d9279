"""Enum value, type, function or schema renamed.

Programs that are running during the migration still use the old name.

Given:
    create type coach.mood as enum ('glad', 'sad');

Bad:
    alter type coach.mood rename value 'glad' to 'happy';

Good:
    alter type coach.mood add value 'happy';

Source: PostgreSQL documentation, ALTER TYPE.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ObjectType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext
from aigym_db.syntax.tree import dotted, is_a

_CALLED_BY_NAME = {
    ObjectType.OBJECT_TYPE,
    ObjectType.OBJECT_DOMAIN,
    ObjectType.OBJECT_FUNCTION,
    ObjectType.OBJECT_PROCEDURE,
    ObjectType.OBJECT_SCHEMA,
}


@rule("BACK03", "rename-object", since="0.1", on=(ast.AlterEnumStmt, ast.RenameStmt), in_downs="skip")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    tree = step.tree
    if is_a(tree, ast.AlterEnumStmt):
        if not tree.oldVal:
            return
        renamed = f"value {tree.oldVal} of {dotted(tree.typeName)}"
    elif tree.renameType in _CALLED_BY_NAME:
        name = tree.object
        renamed = tree.subname or dotted(getattr(name, "objname", name))
    else:
        return
    yield step.match(
        f"Programs that use {renamed} fail as soon as this commits.",
        "Add an object with the new name, migrate programs and rows to it, then drop the old one.",
    )
