"""Constraint added NOT VALID and validated in the same transaction.

NOT VALID keeps the ACCESS EXCLUSIVE lock short only if the transaction ends. If VALIDATE CONSTRAINT follows
in the same transaction, the lock of ADD CONSTRAINT is held while all rows are scanned, which NOT VALID is
meant to avoid.

Given:
    create table coach.sessions (id bigint primary key, rating integer);

Bad:
    begin;
    alter table coach.sessions add constraint sessions_rating_check check (rating > 0) not valid;
    alter table coach.sessions validate constraint sessions_rating_check;
    commit;

Good:
    alter table coach.sessions add constraint sessions_rating_check check (rating > 0) not valid;
    alter table coach.sessions validate constraint sessions_rating_check;

Source: PostgreSQL documentation, ALTER TABLE, Notes.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import AlterTableType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule(
    "LOCK22",
    "validate-in-same-transaction",
    since="0.1",
    on=ast.AlterTableStmt,
    level="error",
    in_downs="note",
)
def check(step: StatementContext) -> Iterator[RuleMatch]:
    transaction = step.chain.transaction
    table = step.key(step.tree.relation)
    for command in step.changes(AlterTableType.AT_ValidateConstraint):
        if transaction is not None and (table, command.name) in transaction.unvalidated:
            yield step.match(
                f"{shown(table)} remains locked by ADD CONSTRAINT above while all rows are checked "
                f"for {command.name}.",
                "Validate the constraint in the next migration.",
                command,
            )
