"""Rows changed in a non-transactional migration.

A `transaction:false` migration runs statement by statement. If the runner is terminated between a statement
and its journal entry, the catalog shows whether an index was built, but not whether rows were changed: the
statement may run twice.

Bad (migration):
    -- migrate:up transaction:false
    update coach.sessions set rating = rating + 1 where id < 10;

    -- migrate:down
    update coach.sessions set rating = rating - 1 where id < 10;

Good (migration):
    -- migrate:up
    update coach.sessions set rating = rating + 1 where id < 10;

    -- migrate:down
    update coach.sessions set rating = rating - 1 where id < 10;

Good (migration):
    -- migrate:up batch:5000
    update coach.sessions set rating = 0 where rating is null;

    -- migrate:down irreversible: the previous nulls are not recorded

Source: the journal of non-transactional migrations; see `migrate`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext
from aigym_db.syntax.tree import is_a


@rule("TXN07", "write-outside-transaction", since="0.1", on=(ast.UpdateStmt, ast.DeleteStmt, ast.InsertStmt))
def check(step: StatementContext) -> Iterator[RuleMatch]:
    if not step.section.in_migration or step.in_transaction or step.section.backfill:
        return
    if is_a(step.tree, ast.InsertStmt) and step.tree.onConflictClause is not None:
        return
    yield step.match(
        "If the runner is terminated immediately after this statement, the next run cannot "
        "determine that it completed and repeats it.",
        "Move it to a transactional migration, or make it a backfill: `-- migrate:up batch:5000`.",
    )
