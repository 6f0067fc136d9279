"""New enum value used in the transaction that added it.

PostgreSQL raises "unsafe use of new value". The value can be used once the transaction that added it has
committed.

Given:
    create type coach.mood as enum ('glad', 'sad');
    create table coach.entries (id bigint primary key, mood coach.mood not null);

Bad (rejected):
    begin;
    alter type coach.mood add value 'calm';
    update coach.entries set mood = 'calm' where id = 1;
    commit;

Good:
    alter type coach.mood add value 'calm';
    update coach.entries set mood = 'calm' where id = 1;

Source: PostgreSQL documentation, ALTER TYPE, Notes; SQLSTATE 55P04.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext
from aigym_db.syntax.tree import is_a, nodes

_ON = (
    ast.AlterTableStmt,
    ast.CreateStmt,
    ast.CreatePolicyStmt,
    ast.DeleteStmt,
    ast.IndexStmt,
    ast.InsertStmt,
    ast.SelectStmt,
    ast.UpdateStmt,
    ast.ViewStmt,
)


@rule("TXN05", "enum-value-used", since="0.1", on=_ON, level="error")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    transaction = step.chain.transaction
    if transaction is None or not transaction.enum_values:
        return
    for node in nodes(step.tree):
        if not is_a(node, ast.A_Const) or not is_a(node.val, ast.String):
            continue
        if node.val.sval in transaction.enum_values:
            yield step.match(
                f"PostgreSQL rejects the use of '{node.val.sval}' in the transaction that added it "
                "to its enum.",
                "Add the value in a separate migration before this one.",
                node,
            )
            return
