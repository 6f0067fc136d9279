"""Stored generated column added to a table that may contain rows.

The value is computed and stored for every row, so PostgreSQL rewrites the whole table under an ACCESS
EXCLUSIVE lock, which blocks reads and writes. A VIRTUAL column (PostgreSQL 18) stores nothing and changes
only the catalog.

Given:
    create table coach.sessions (id bigint primary key, minutes integer not null);

Bad:
    alter table coach.sessions add column hours numeric generated always as (minutes / 60.0) stored;

Good:
    alter table coach.sessions add column hours numeric;

Source: PostgreSQL documentation, Generated Columns; ALTER TABLE, Notes.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ConstrType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule(
    "LOCK13",
    "add-column-stored-generated",
    since="0.1",
    on=ast.AlterTableStmt,
    level="error",
    in_downs="note",
)
def check(step: StatementContext) -> Iterator[RuleMatch]:
    for column in step.added_columns():
        for constraint in column.constraints or ():
            if constraint.contype == ConstrType.CONSTR_GENERATED and constraint.generated_kind == "s":
                table = shown(step.key(step.tree.relation))
                yield step.match(
                    f"Computing {column.colname} for every row rewrites all of {table}, which blocks "
                    "reads and writes.",
                    "Add an ordinary column that a trigger fills, and fill the existing rows in "
                    "batches; on PostgreSQL 18, use VIRTUAL.",
                    column,
                )
