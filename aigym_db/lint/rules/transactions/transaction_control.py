"""BEGIN, COMMIT or ROLLBACK in a migration.

The runner puts one transaction around a migration, with the row that says it was applied in it. A COMMIT in
between leaves the first half behind when the second fails, and nothing knows.

Bad (migration):
    -- migrate:up
    create table coach.notes (id bigint primary key);
    commit;
    create table coach.tags (id bigint primary key);

    -- migrate:down
    drop table coach.tags;
    drop table coach.notes;

Good (migration):
    -- migrate:up
    create table coach.notes (id bigint primary key);

    -- migrate:down
    drop table coach.notes;

Source: PostgreSQL documentation, Transactions.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext


@rule("TXN02", "transaction-control", since="0.1", on=ast.TransactionStmt, level="error")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    if step.passage.in_migration and not step.body:
        word = step.tree.kind.name.removeprefix("TRANS_STMT_").replace("_", " ")
        yield step.found(
            f"{word} in a migration: the runner decides where its transaction begins and ends.",
            "Remove it; what must be committed first goes into a migration of its own.",
        )
