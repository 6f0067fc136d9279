"""SET without LOCAL.

The setting remains after the transaction ends: it affects the next migration, and behind a connection pooler
the next client of the connection. The SET clause of a function is not affected.

Bad (migration):
    -- migrate:up
    set lock_timeout = '1s';

    -- migrate:down
    select 1;

Good (migration):
    -- migrate:up
    set local lock_timeout = '1s';

    -- migrate:down
    select 1;

Source: PostgreSQL documentation, SET.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import VariableSetKind

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext

_RESETS = {VariableSetKind.VAR_RESET, VariableSetKind.VAR_RESET_ALL}


@rule("TXN04", "set-without-local", since="0.1", on=ast.VariableSetStmt)
def check(step: StatementContext) -> Iterator[RuleMatch]:
    tree = step.tree
    if tree.is_local or tree.kind in _RESETS or not step.in_transaction:
        return
    if (tree.name or "").upper() == "TRANSACTION":
        return
    yield step.match(
        f"{tree.name or 'This setting'} remains set for later statements on this connection.",
        "Use SET LOCAL.",
    )
