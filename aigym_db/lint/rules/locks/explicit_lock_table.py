"""LOCK TABLE in a mode that blocks reads or writes.

Without a mode, LOCK TABLE takes an ACCESS EXCLUSIVE lock, which blocks reads and writes until the transaction
ends. SHARE and stronger modes block writes.

Given:
    create table coach.sessions (id bigint primary key);

Bad:
    begin;
    lock table coach.sessions;
    commit;

Good:
    begin;
    lock table coach.sessions in share update exclusive mode;
    commit;

Source: PostgreSQL documentation, LOCK; Explicit Locking.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown

_SHARE_UPDATE_EXCLUSIVE = 4
_ACCESS_EXCLUSIVE = 8


@rule("LOCK21", "explicit-lock-table", since="0.1", on=ast.LockStmt, in_downs="note")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    tables = [shown(step.key(table)) for table in step.tree.relations if step.in_use(table)]
    if step.tree.mode <= _SHARE_UPDATE_EXCLUSIVE or not tables:
        return
    blocked = "read and write" if step.tree.mode == _ACCESS_EXCLUSIVE else "write"
    yield step.match(
        f"Every {blocked} of {', '.join(tables)} is blocked until this transaction ends.",
        "Use the weakest sufficient mode, immediately before the statement that requires it.",
    )
