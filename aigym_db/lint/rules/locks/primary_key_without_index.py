"""PRIMARY KEY added without USING INDEX to a table that may contain rows.

The index is built under an ACCESS EXCLUSIVE lock, which blocks reads and writes until the build is complete.

Given:
    create table coach.imports (id bigint not null, line text);

Bad:
    alter table coach.imports add constraint imports_pkey primary key (id);

Good:
    create unique index concurrently imports_pkey on coach.imports (id);
    alter table coach.imports add constraint imports_pkey primary key using index imports_pkey;

Source: PostgreSQL documentation, ALTER TABLE, ADD table_constraint_using_index.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ConstrType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule(
    "LOCK08", "primary-key-without-index", since="0.1", on=ast.AlterTableStmt, level="error", in_downs="note"
)
def check(step: StatementContext) -> Iterator[RuleMatch]:
    for constraint in step.added_constraints(ConstrType.CONSTR_PRIMARY):
        if constraint.indexname:
            continue
        table = shown(step.key(step.tree.relation))
        yield step.match(
            f"Building the index of this key blocks every read and write of {table} until it is complete.",
            "Build the index with CREATE UNIQUE INDEX CONCURRENTLY, then add the key USING INDEX.",
            constraint,
        )
