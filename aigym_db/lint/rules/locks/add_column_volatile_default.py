"""Column added with a default that is different for every row.

A constant default, and one that is the same for the whole statement such as now(), is stored once: no row
is touched. A volatile one (random(), clock_timestamp(), gen_random_uuid(), a function not declared STABLE
or IMMUTABLE) writes the whole table and its indexes again under an ACCESS EXCLUSIVE lock.

Given:
    create table coach.sessions (id bigint primary key);

Bad:
    alter table coach.sessions add column public_id uuid default gen_random_uuid();

Good:
    alter table coach.sessions add column public_id uuid;
    alter table coach.sessions alter column public_id set default gen_random_uuid();

Good:
    alter table coach.sessions add column created_at timestamptz not null default now();

Source: PostgreSQL documentation, ALTER TABLE, Notes.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ConstrType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown
from aigym_db.lint.volatility import volatile_call


@rule(
    "LOCK10",
    "add-column-volatile-default",
    since="0.1",
    on=ast.AlterTableStmt,
    level="error",
    in_downs="note",
)
def check(step: StatementContext) -> Iterator[RuleMatch]:
    for column in step.added_columns():
        for constraint in column.constraints or ():
            if constraint.contype != ConstrType.CONSTR_DEFAULT:
                continue
            call = volatile_call(step.chain, constraint.raw_expr)
            if call is not None:
                table = shown(step.key(step.tree.relation))
                yield step.found(
                    f"{call}() differs from row to row, so adding {column.colname} writes all of {table} "
                    "again; every read and "
                    "write waits.",
                    "Add the column without the default, SET DEFAULT for new rows, and fill the old ones "
                    "in batches.",
                    constraint,
                )
