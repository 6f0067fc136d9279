"""Expand migration that removes something the running application may use.

A migration marked `phase:expand` runs before the application is switched to its next version, so the previous
version keeps running on the changed schema. Everything it may still read, write, call or omit has to remain:
columns, tables, views, functions, types, defaults, privileges, and nullable columns. Downs are not checked.

Given:
    create table coach.sessions (id bigint primary key, rating integer default 3);

Bad (migration):
    -- migrate:up phase:expand
    alter table coach.sessions alter column rating drop default;
    -- migrate:down
    alter table coach.sessions alter column rating set default 3;

Bad (migration):
    -- migrate:up phase:expand
    revoke insert on coach.sessions from writer;
    -- migrate:down
    grant insert on coach.sessions to writer;

Bad (migration):
    -- migrate:up phase:expand
    drop function coach.mean(bigint);
    -- migrate:down
    create function coach.mean(bigint) returns numeric language sql as 'select 1.0';

Good (migration):
    -- migrate:up phase:contract
    alter table coach.sessions alter column rating drop default;
    -- migrate:down
    alter table coach.sessions alter column rating set default 3;

Source: Martin Fowler, "Parallel Change"; PostgreSQL documentation, ALTER TABLE.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import AlterTableType, ObjectType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown
from aigym_db.syntax.tree import is_a

_REMOVED = {
    AlterTableType.AT_DropColumn: "drops",
    AlterTableType.AT_SetNotNull: "rejects nulls in",
    AlterTableType.AT_AlterColumnType: "changes the type of",
    AlterTableType.AT_ColumnDefault: "drops the default of",
}
_DROPPED = {
    ObjectType.OBJECT_TABLE: "a table",
    ObjectType.OBJECT_VIEW: "a view",
    ObjectType.OBJECT_MATVIEW: "a materialized view",
    ObjectType.OBJECT_FUNCTION: "a function",
    ObjectType.OBJECT_PROCEDURE: "a procedure",
    ObjectType.OBJECT_ROUTINE: "a routine",
    ObjectType.OBJECT_SEQUENCE: "a sequence",
    ObjectType.OBJECT_TYPE: "a type",
    ObjectType.OBJECT_DOMAIN: "a domain",
    ObjectType.OBJECT_SCHEMA: "a schema",
}
_HELP = "Move it to a separate migration marked `-- migrate:up phase:contract`."


@rule(
    "BACK04",
    "removal-in-expand",
    since="0.1",
    on=(ast.AlterTableStmt, ast.DropStmt, ast.GrantStmt),
    level="error",
    in_downs="skip",
)
def check(step: StatementContext) -> Iterator[RuleMatch]:
    if step.section.phase == "expand":
        for removal, node in _removals(step):
            yield step.match(
                f"This expand migration {removal}; the application version that is still running "
                "may need it.",
                _HELP,
                node,
            )


def _removals(step: StatementContext) -> Iterator[tuple[str, object]]:
    """Yield what a statement removes for running programs, and the node that removes it."""
    tree = step.tree
    if is_a(tree, ast.GrantStmt):
        if not tree.is_grant:
            yield "revokes privileges", tree
    elif is_a(tree, ast.DropStmt):
        if tree.removeType in _DROPPED:
            yield f"drops {_DROPPED[tree.removeType]}", tree
    else:
        for command in step.changes(*_REMOVED):
            if command.subtype != AlterTableType.AT_ColumnDefault or command.def_ is None:
                column = f"{shown(step.key(tree.relation))}.{command.name}"
                yield f"{_REMOVED[command.subtype]} {column}", command
