"""Rows changed while a table is locked by an earlier ALTER TABLE of the same transaction.

ALTER TABLE takes an ACCESS EXCLUSIVE lock until the transaction ends. While the UPDATE, DELETE or INSERT …
SELECT runs, the lock blocks reads and writes of the altered table.

Given:
    create table coach.sessions (id bigint primary key, minutes integer);

Bad:
    begin;
    alter table coach.sessions add column hours numeric;
    update coach.sessions set hours = minutes / 60.0 where hours is null;
    commit;

Good:
    alter table coach.sessions add column hours numeric;
    update coach.sessions set hours = minutes / 60.0 where hours is null and id between 1 and 10000;

Source: PostgreSQL documentation, Explicit Locking.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown
from aigym_db.syntax.tree import is_a


@rule(
    "TXN06",
    "write-after-lock",
    since="0.1",
    on=(ast.UpdateStmt, ast.DeleteStmt, ast.InsertStmt),
    in_downs="note",
)
def check(step: StatementContext) -> Iterator[RuleMatch]:
    transaction, tree = step.chain.transaction, step.tree
    if transaction is None or not transaction.altered:
        return
    if is_a(tree, ast.InsertStmt):
        if not is_a(tree.selectStmt, ast.SelectStmt) or not tree.selectStmt.fromClause:
            return
    elif not step.in_use(tree.relation):
        return
    names = ", ".join(shown(table) for table in sorted(transaction.altered))
    yield step.match(
        f"Reads and writes of {names}, which this transaction has altered, are blocked "
        "until this statement is complete.",
        "Change the rows in a separate migration, in batches: `-- migrate:up batch:5000`.",
    )
