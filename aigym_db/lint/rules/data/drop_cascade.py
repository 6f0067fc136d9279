"""DROP … CASCADE.

CASCADE also drops every object that depends on the named one: views, policies, foreign keys, columns. On
another database that set may be larger.

Given:
    create table coach.sessions (id bigint primary key);
    create view coach.recent_sessions as select id from coach.sessions;

Bad:
    drop view coach.recent_sessions cascade;

Good:
    drop view coach.recent_sessions;

Source: PostgreSQL documentation, Dependency Tracking.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import AlterTableType, DropBehavior, ObjectType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext
from aigym_db.syntax.tree import is_a, words

_PARTS = (AlterTableType.AT_DropColumn, AlterTableType.AT_DropConstraint)


@rule("DATA05", "drop-cascade", since="0.1", on=(ast.DropStmt, ast.AlterTableStmt), in_downs="skip")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    tree = step.tree
    if is_a(tree, ast.AlterTableStmt):
        for command in step.changes(*_PARTS):
            if command.behavior == DropBehavior.DROP_CASCADE:
                yield _match(step, command.name, command)
    elif tree.behavior == DropBehavior.DROP_CASCADE and not _is_drop_of_new(step):
        yield _match(step, ", ".join(_name(target) for target in tree.objects))


def _match(step: StatementContext, name: str, node: object = None) -> RuleMatch:
    return step.match(
        f"CASCADE also drops every object that depends on {name}, and these may differ from "
        "database to database.",
        "Drop the dependent objects by name first, then this one without CASCADE.",
        node,
    )


def _is_drop_of_new(step: StatementContext) -> bool:
    tree = step.tree
    if tree.removeType != ObjectType.OBJECT_TABLE:
        return False
    return all(step.chain.is_new(step.chain.resolve(*_split(target))) for target in tree.objects)


def _split(target: object) -> tuple[str | None, str]:
    parts = words(target)
    return (parts[-2] if len(parts) > 1 else None), parts[-1]


def _name(target: object) -> str:
    names = getattr(target, "objname", None) or getattr(target, "names", None) or target
    return ".".join(words(names if isinstance(names, tuple) else (names,)))
