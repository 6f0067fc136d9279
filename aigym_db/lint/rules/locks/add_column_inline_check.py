"""Column added together with a CHECK constraint to a table that may contain rows.

PostgreSQL checks every row under an ACCESS EXCLUSIVE lock, which blocks reads and writes, although all rows
have the same default or null.

Given:
    create table coach.sessions (id bigint primary key);

Bad:
    alter table coach.sessions add column rating integer check (rating between 1 and 5);

Good:
    alter table coach.sessions add column rating integer;
    alter table coach.sessions add constraint sessions_rating_check check (rating between 1 and 5) not valid;
    alter table coach.sessions validate constraint sessions_rating_check;

Source: PostgreSQL documentation, ALTER TABLE, Notes.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ConstrType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule("LOCK14", "add-column-inline-check", since="0.1", on=ast.AlterTableStmt, level="error", in_downs="note")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    for column in step.added_columns():
        for constraint in column.constraints or ():
            if constraint.contype == ConstrType.CONSTR_CHECK and constraint.is_enforced:
                table = shown(step.key(step.tree.relation))
                yield step.match(
                    f"Checking {column.colname} blocks every read and write of {table} while all its "
                    "rows are scanned.",
                    "Add the column, then the constraint NOT VALID, and validate it in the next migration.",
                    constraint,
                )
