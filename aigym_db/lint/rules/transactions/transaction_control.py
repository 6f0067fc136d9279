"""BEGIN, COMMIT or ROLLBACK in a migration.

Each migration and its ledger row are committed in one transaction. A COMMIT inside the migration commits its
first part even if the second part fails, without a ledger row.

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
    if step.section.in_migration and not step.body:
        command = step.tree.kind.name.removeprefix("TRANS_STMT_").replace("_", " ")
        yield step.match(
            f"{command} in a migration: the runner controls the transaction.",
            "Remove it; move statements that must be committed first to a separate migration.",
        )
