"""Rows changed in a migration that is no transaction.

A `transaction:false` migration runs statement by statement. When the runner dies between a statement and
the note that it is done, the catalog can tell whether an index was built, but nothing can tell whether rows
were changed: the statement may run twice.

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

    -- migrate:down irreversible: nobody knows any more which were null

Source: the journal of migrations outside a transaction; see `migrate`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext
from aigym_db.syntax.tree import is_a


@rule("TXN07", "write-outside-transaction", since="0.1", on=(ast.UpdateStmt, ast.DeleteStmt, ast.InsertStmt))
def check(step: StatementContext) -> Iterator[RuleMatch]:
    if not step.passage.in_migration or step.in_transaction or step.passage.backfill:
        return
    if is_a(step.tree, ast.InsertStmt) and step.tree.onConflictClause is not None:
        return
    yield step.found(
        "If the runner is killed right behind this statement, the next run cannot tell that it happened "
        "and runs it again.",
        "Put it into a migration that is a transaction, or into a backfill: `-- migrate:up batch:5000`.",
    )
