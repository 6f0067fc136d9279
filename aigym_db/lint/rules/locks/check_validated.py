"""CHECK constraint added without NOT VALID to a table that may contain rows.

ADD CONSTRAINT takes an ACCESS EXCLUSIVE lock, which blocks reads and writes while every row is checked. With
NOT VALID the lock is held only briefly; VALIDATE CONSTRAINT in a later transaction scans the rows without
blocking reads or writes.

Given:
    create table coach.sessions (id bigint primary key, rating integer);

Bad:
    alter table coach.sessions add constraint sessions_rating_check check (rating between 1 and 5);

Good:
    alter table coach.sessions add constraint sessions_rating_check check (rating between 1 and 5) not valid;
    alter table coach.sessions validate constraint sessions_rating_check;

Source: PostgreSQL documentation, ALTER TABLE, ADD table_constraint NOT VALID.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ConstrType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule("LOCK05", "check-validated", since="0.1", on=ast.AlterTableStmt, level="error", in_downs="note")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    for constraint in step.added_constraints(ConstrType.CONSTR_CHECK):
        if constraint.skip_validation or not constraint.is_enforced:
            continue
        table = shown(step.key(step.tree.relation))
        yield step.match(
            f"Checking the rows of {table} blocks every read and write of it until all rows are checked.",
            "Add the constraint NOT VALID, then run VALIDATE CONSTRAINT in the next migration.",
            constraint,
        )
