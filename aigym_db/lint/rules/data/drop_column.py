"""Column dropped from a table that may contain rows.

The values of the column are lost, and programs that still use it fail. Release programs that no longer use
the column first, then drop it in a later migration. Downs are not checked: removing what the up added is
their purpose.

Given:
    create table coach.sessions (id bigint primary key, rating integer);

Bad:
    alter table coach.sessions drop column rating;

Good:
    -- allow drop-column: nothing has read it since release 41, and the values are archived
    alter table coach.sessions drop column rating;

Source: PostgreSQL documentation, ALTER TABLE, DROP COLUMN.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import AlterTableType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule("DATA01", "drop-column", since="0.1", on=ast.AlterTableStmt, in_downs="skip")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    for command in step.changes(AlterTableType.AT_DropColumn):
        table = shown(step.key(step.tree.relation))
        yield step.match(
            f"The values of {table}.{command.name} are lost, and programs that still use the column fail.",
            "Release programs that do not use the column, then drop it with `-- allow "
            "drop-column: <reason>`.",
            command,
        )
