"""Column added with a volatile default.

A constant default, or one that is the same for the whole statement such as now(), is stored once in the
catalog and changes no row. A volatile default (random(), clock_timestamp(), gen_random_uuid(), a function not
declared STABLE or IMMUTABLE) differs for every row: PostgreSQL rewrites the whole table and its indexes under
an ACCESS EXCLUSIVE lock, which blocks reads and writes.

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
                yield step.match(
                    f"{call}() differs from row to row, so adding {column.colname} rewrites all of "
                    f"{table}, which blocks reads and writes.",
                    "Add the column without the default, SET DEFAULT for new rows, and fill the "
                    "existing rows in batches.",
                    constraint,
                )
