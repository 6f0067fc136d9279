"""UNIQUE constraint added without USING INDEX to a table that may contain rows.

The index is built under an ACCESS EXCLUSIVE lock, which blocks reads and writes until the build is complete.
An index built CONCURRENTLY in advance can be turned into the constraint with USING INDEX, which changes only
the catalog.

Given:
    create table coach.coaches (id bigint primary key, email text not null);

Bad:
    alter table coach.coaches add constraint coaches_email_key unique (email);

Good:
    create unique index concurrently coaches_email_key on coach.coaches (email);
    alter table coach.coaches add constraint coaches_email_key unique using index coaches_email_key;

Source: PostgreSQL documentation, ALTER TABLE, ADD table_constraint_using_index.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ConstrType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule(
    "LOCK07",
    "unique-constraint-without-index",
    since="0.1",
    on=ast.AlterTableStmt,
    level="error",
    in_downs="note",
)
def check(step: StatementContext) -> Iterator[RuleMatch]:
    for constraint in step.added_constraints(ConstrType.CONSTR_UNIQUE):
        if constraint.indexname:
            continue
        table = shown(step.key(step.tree.relation))
        yield step.match(
            f"Building the index of this constraint blocks every read and write of {table} "
            "until it is complete.",
            "Build the index with CREATE UNIQUE INDEX CONCURRENTLY, then add the constraint USING INDEX.",
            constraint,
        )
