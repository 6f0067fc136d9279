"""Column of type serial added to a table that may contain rows.

`serial` is an integer with nextval() as its default. Every row is assigned a number, so PostgreSQL rewrites
the whole table and its indexes under an ACCESS EXCLUSIVE lock, which blocks reads and writes.

Given:
    create table coach.sessions (id uuid primary key);

Bad:
    alter table coach.sessions add column number bigserial;

Good:
    alter table coach.sessions add column number bigint;
    create sequence coach.sessions_number_seq owned by coach.sessions.number;
    alter table coach.sessions alter column number set default nextval('coach.sessions_number_seq');

Source: PostgreSQL documentation, Serial Types; ALTER TABLE, Notes.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown
from aigym_db.lint.types import is_serial


@rule("LOCK11", "add-column-serial", since="0.1", on=ast.AlterTableStmt, level="error", in_downs="note")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    for column in step.added_columns():
        if is_serial(column.typeName):
            table = shown(step.key(step.tree.relation))
            yield step.match(
                f"Adding {column.colname} assigns a number to every row and rewrites all of "
                f"{table}, which blocks reads and writes.",
                "Add a bigint column, set a sequence as its default for new rows, and number the "
                "existing rows in batches.",
                column,
            )
