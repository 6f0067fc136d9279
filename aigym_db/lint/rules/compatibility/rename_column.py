"""Column of an existing table renamed.

Programs that are running during the migration still use the old name. Their statements fail until they are
replaced.

Given:
    create table coach.sessions (id bigint primary key, rating integer);

Bad:
    alter table coach.sessions rename column rating to stars;

Good:
    alter table coach.sessions add column stars integer;

Source: PostgreSQL documentation, ALTER TABLE, RENAME.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ObjectType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule("BACK01", "rename-column", since="0.1", on=ast.RenameStmt, in_downs="skip")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    tree = step.tree
    if tree.renameType != ObjectType.OBJECT_COLUMN or not step.in_use(tree.relation):
        return
    yield step.match(
        f"Programs that use {shown(step.key(tree.relation))}.{tree.subname} fail as soon as this commits.",
        "Add a column with the new name, write to both until no program uses the old one, "
        "then drop the old column.",
    )
