"""SET NOT NULL without a valid CHECK constraint that proves it.

SET NOT NULL takes an ACCESS EXCLUSIVE lock and scans the whole table, which blocks reads and writes.
PostgreSQL skips the scan if a validated CHECK constraint proves that the column contains no nulls. Only a
validated check on the same column is considered.

Given:
    create table coach.sessions (id bigint primary key, coach_id bigint, rating integer);

Bad:
    alter table coach.sessions alter column coach_id set not null;

Good:
    alter table coach.sessions add constraint sessions_coach_id_set check (coach_id is not null) not valid;
    alter table coach.sessions validate constraint sessions_coach_id_set;
    alter table coach.sessions alter column coach_id set not null;
    alter table coach.sessions drop constraint sessions_coach_id_set;

Source: PostgreSQL documentation, ALTER TABLE, SET NOT NULL.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import AlterTableType, ConstrType

from aigym_db.lint.proofs import proves_not_null
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule("LOCK06", "set-not-null-scan", since="0.1", on=ast.AlterTableStmt, level="error", in_downs="note")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    columns = [(command, command.name) for command in step.changes(AlterTableType.AT_SetNotNull)]
    for constraint in step.added_constraints(ConstrType.CONSTR_NOTNULL):
        if not constraint.skip_validation:
            columns.extend((constraint, key.sval) for key in constraint.keys)
    for node, column in columns:
        if proves_not_null(step.relation(step.tree.relation), column):
            continue
        table = shown(step.key(step.tree.relation))
        yield step.match(
            f"Scanning {table}.{column} for nulls blocks every read and write of {table}.",
            "Add CHECK (… IS NOT NULL) NOT VALID, validate it in the next migration, then SET "
            "NOT NULL and drop the check.",
            node,
        )
