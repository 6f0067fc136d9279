"""CREATE INDEX CONCURRENTLY IF NOT EXISTS.

A failed concurrent build leaves an INVALID index, which is updated by writes but not used by queries. If the
statement is repeated, IF NOT EXISTS finds the name and reports success: the index is recorded as built
although it is invalid.

Given:
    create table coach.sessions (id bigint primary key, coach_id bigint not null);

Bad:
    create index concurrently if not exists sessions_coach_id_idx on coach.sessions (coach_id);

Good:
    drop index concurrently if exists coach.sessions_coach_id_idx;
    create index concurrently sessions_coach_id_idx on coach.sessions (coach_id);

Source: measured on PostgreSQL 15, 16 and 18; PostgreSQL documentation, CREATE INDEX, "Building Indexes
Concurrently".
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext


@rule("LOCK23", "concurrently-if-not-exists", since="0.1", on=ast.IndexStmt, level="error")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    if step.tree.concurrent and step.tree.if_not_exists:
        yield step.match(
            f"If the build of {step.tree.idxname} fails, repeating this statement reports "
            "success although the index is invalid.",
            "Remove IF NOT EXISTS, and precede the statement with DROP INDEX CONCURRENTLY IF "
            "EXISTS if it must be repeatable.",
        )
