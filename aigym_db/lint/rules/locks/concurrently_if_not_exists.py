"""CREATE INDEX CONCURRENTLY IF NOT EXISTS.

A concurrent build that fails leaves an INVALID index behind, which is kept up to date and never used. Run
again, IF NOT EXISTS sees the name and reports success: the index is recorded as built and is not there.

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
        yield step.found(
            f"If a build of {step.tree.idxname} fails, running this again reports success over an index "
            "that is not valid.",
            "Drop IF NOT EXISTS; put DROP INDEX CONCURRENTLY IF EXISTS before it if it must be repeatable.",
        )
