"""Identity column added to a table that may contain rows.

Every row is assigned a number, so PostgreSQL rewrites the whole table and its indexes under an ACCESS
EXCLUSIVE lock, which blocks reads and writes. The same applies to serial columns.

Given:
    create table coach.sessions (id uuid primary key);

Bad:
    alter table coach.sessions add column number bigint generated always as identity;

Good:
    alter table coach.sessions add column number bigint;
    create sequence coach.sessions_number_seq owned by coach.sessions.number;
    alter table coach.sessions alter column number set default nextval('coach.sessions_number_seq');

Source: PostgreSQL documentation, ALTER TABLE, Notes.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ConstrType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule("LOCK12", "add-column-identity", since="0.1", on=ast.AlterTableStmt, level="error", in_downs="note")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    for column in step.added_columns():
        if any(constraint.contype == ConstrType.CONSTR_IDENTITY for constraint in column.constraints or ()):
            table = shown(step.key(step.tree.relation))
            yield step.match(
                f"Adding {column.colname} assigns a number to every row and rewrites all of "
                f"{table}, which blocks reads and writes.",
                "Add a bigint column, set a sequence as its default for new rows, and number the "
                "existing rows in batches.",
                column,
            )
