"""Column with a constrained domain type added to a table that may contain rows.

PostgreSQL rewrites the whole table to check the domain's constraints on every row, even if every value is
null. The rewrite holds an ACCESS EXCLUSIVE lock, which blocks reads and writes.

Given:
    create domain coach.rating as integer check (value between 1 and 5);
    create table coach.sessions (id bigint primary key);

Bad:
    alter table coach.sessions add column rating coach.rating;

Good:
    alter table coach.sessions add column rating integer;
    alter table coach.sessions add constraint sessions_rating_check check (rating between 1 and 5) not valid;
    alter table coach.sessions validate constraint sessions_rating_check;

Source: measured on PostgreSQL 15, 16 and 18; not documented for ALTER TABLE.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown
from aigym_db.lint.types import type_of


@rule(
    "LOCK17",
    "add-column-constrained-domain",
    since="0.1",
    on=ast.AlterTableStmt,
    level="error",
    in_downs="note",
)
def check(step: StatementContext) -> Iterator[RuleMatch]:
    for column in step.added_columns():
        domain = step.chain.type(type_of(column.typeName).name)
        if domain is not None and domain.constrained:
            table = shown(step.key(step.tree.relation))
            yield step.match(
                f"{domain.name} has constraints, so adding {column.colname} rewrites all of "
                f"{table}, which blocks reads and writes.",
                "Use the domain's base type and a CHECK constraint added NOT VALID.",
                column,
            )
