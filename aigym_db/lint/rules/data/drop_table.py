"""Table dropped that may contain rows.

Its rows are lost. Tables created in the same file and downs are not checked.

Given:
    create table coach.sessions (id bigint primary key);

Bad:
    drop table coach.sessions;

Good:
    -- allow drop-table: moved to coach.visits in 0031, and archived
    drop table coach.sessions;

Source: PostgreSQL documentation, DROP TABLE.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ObjectType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, dropped, shown


@rule("DATA02", "drop-table", since="0.1", on=ast.DropStmt, in_downs="skip")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    if step.tree.removeType != ObjectType.OBJECT_TABLE:
        return
    for schema, name in dropped(step.tree):
        key = step.chain.resolve(schema, name)
        if not step.chain.is_new(key):
            yield step.match(
                f"All rows of {shown(key)} are lost.",
                "Archive the rows first, then write `-- allow drop-table: <reason>`.",
            )
