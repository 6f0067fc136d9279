"""Table or view renamed or moved to another schema.

Programs that are running during the migration still use the old name. Their statements fail until they are
replaced.

Given:
    create table coach.sessions (id bigint primary key);

Bad:
    alter table coach.sessions rename to visits;

Good:
    -- allow rename-table: the view of the old name below serves the programs of release 41
    alter table coach.sessions rename to visits;
    create view coach.sessions with (security_invoker = true) as select id from coach.visits;

Source: PostgreSQL documentation, ALTER TABLE, RENAME.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ObjectType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown
from aigym_db.syntax.tree import is_a

_RELATIONS = {ObjectType.OBJECT_TABLE, ObjectType.OBJECT_VIEW, ObjectType.OBJECT_MATVIEW}


@rule("BACK02", "rename-table", since="0.1", on=(ast.RenameStmt, ast.AlterObjectSchemaStmt), in_downs="skip")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    tree = step.tree
    kind = tree.renameType if is_a(tree, ast.RenameStmt) else tree.objectType
    if kind not in _RELATIONS or not step.in_use(tree.relation):
        return
    yield step.match(
        f"Programs that use {shown(step.key(tree.relation))} fail as soon as this commits.",
        "Create a view with the old name, WITH (security_invoker = true), and keep it "
        "until no program uses it.",
    )
