"""Column added together with UNIQUE or PRIMARY KEY to a table that may contain rows.

The index is built under an ACCESS EXCLUSIVE lock, which blocks reads and writes until the build is complete.

Given:
    create table coach.coaches (id bigint primary key);

Bad:
    alter table coach.coaches add column email text unique;

Good:
    alter table coach.coaches add column email text;
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

_KEYS = (ConstrType.CONSTR_UNIQUE, ConstrType.CONSTR_PRIMARY)


@rule(
    "LOCK15", "add-column-inline-unique", since="0.1", on=ast.AlterTableStmt, level="error", in_downs="note"
)
def check(step: StatementContext) -> Iterator[RuleMatch]:
    for column in step.added_columns():
        for constraint in column.constraints or ():
            if constraint.contype in _KEYS:
                table = shown(step.key(step.tree.relation))
                yield step.match(
                    f"Building the index on {column.colname} blocks every read and write of {table} "
                    "until it is complete.",
                    "Add the column, build the index with CREATE UNIQUE INDEX CONCURRENTLY, then add the "
                    "constraint USING INDEX.",
                    constraint,
                )
