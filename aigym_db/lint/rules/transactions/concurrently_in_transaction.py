"""Statement that cannot run inside a transaction block.

CREATE INDEX, DROP INDEX, REINDEX and DETACH PARTITION with CONCURRENTLY, VACUUM, CREATE and DROP DATABASE,
ALTER SYSTEM, CREATE SUBSCRIPTION and some others commit internally or cannot be rolled back, so PostgreSQL
rejects them inside a transaction block. Migrations run in a transaction unless their marker contains
`transaction:false`.

Given:
    create table coach.sessions (id bigint primary key, coach_id bigint not null);

Bad (rejected):
    begin;
    create index concurrently sessions_coach_id_idx on coach.sessions (coach_id);
    commit;

Good:
    create index concurrently sessions_coach_id_idx on coach.sessions (coach_id);

Source: PostgreSQL, PreventInTransactionBlock; SQLSTATE 25001.
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext
from aigym_db.syntax.transaction_block import NODE_CLASSES, rejected_in_block, rejection
from aigym_db.syntax.tree import ast

_ON = tuple(getattr(ast, name) for name in NODE_CLASSES)


@rule("TXN01", "concurrently-in-transaction", since="0.1", on=_ON, level="error")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    command = rejected_in_block(step.tree)
    if command and step.in_transaction:
        yield step.match(
            rejection(command, "a DO block") if step.body == "do" else rejection(command),
            "Move it to a separate migration with the marker `-- migrate:up transaction:false`.",
        )
