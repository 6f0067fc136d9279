"""PRIMARY KEY USING INDEX over nullable columns.

USING INDEX builds no index, but the columns of a primary key must be NOT NULL. If they are not, PostgreSQL
scans the whole table for nulls under an ACCESS EXCLUSIVE lock, which blocks reads and writes.

Given:
    create table coach.imports (id bigint, line text);
    create unique index imports_id_key on coach.imports (id);

Bad:
    alter table coach.imports add constraint imports_pkey primary key using index imports_id_key;

Good:
    alter table coach.imports add constraint imports_id_set check (id is not null) not valid;
    alter table coach.imports validate constraint imports_id_set;
    alter table coach.imports alter column id set not null;
    alter table coach.imports add constraint imports_pkey primary key using index imports_id_key;

Source: PostgreSQL documentation, ALTER TABLE, ADD table_constraint_using_index.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ConstrType

from aigym_db.lint.proofs import proves_not_null
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule(
    "LOCK09", "primary-key-over-nullable", since="0.1", on=ast.AlterTableStmt, level="error", in_downs="note"
)
def check(step: StatementContext) -> Iterator[RuleMatch]:
    for constraint in step.added_constraints(ConstrType.CONSTR_PRIMARY):
        table = step.relation(step.tree.relation)
        schema = table.name.partition(".")[0]
        index = step.chain.indexes.get(f"{schema}.{constraint.indexname}") if constraint.indexname else None
        if index is None or not table.known:
            continue
        nullable = [column for column in index.columns if not proves_not_null(table, column)]
        if nullable:
            yield step.match(
                f"{', '.join(nullable)} may be null, so adding this key scans all rows of "
                f"{shown(table.name)}, which blocks reads and writes.",
                "Make the columns NOT NULL first, using a CHECK constraint added NOT VALID and "
                "validated later.",
                constraint,
            )
