"""Schema or database dropped.

All objects in it are lost, including tables and their rows.

Given:
    create table coach.sessions (id bigint primary key);

Bad:
    drop schema coach cascade; -- allow drop-cascade: the example is about the schema

Good:
    -- allow drop-schema: empty since 0031
    drop schema if exists attic;

Source: PostgreSQL documentation, DROP SCHEMA.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ObjectType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext
from aigym_db.syntax.tree import is_a


@rule("DATA06", "drop-schema", since="0.1", on=(ast.DropStmt, ast.DropdbStmt), in_downs="skip")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    tree = step.tree
    if is_a(tree, ast.DropdbStmt):
        names = tree.dbname
    elif tree.removeType == ObjectType.OBJECT_SCHEMA:
        names = ", ".join(target.sval for target in tree.objects)
    else:
        return
    yield step.match(
        f"All objects in {names} are lost.",
        "Drop its objects by name first, then write `-- allow drop-schema: <reason>`.",
    )
