"""Index dropped without CONCURRENTLY.

DROP INDEX takes an ACCESS EXCLUSIVE lock on the table: the drop itself is quick, but it waits for every
running query on the table, and all later reads and writes wait behind it. The index behind a constraint
cannot be dropped this way at all, and a partitioned index not concurrently: for these nothing better exists
and nothing is said.

Given:
    create table coach.sessions (id bigint primary key, coach_id bigint not null);
    create index sessions_coach_id_idx on coach.sessions (coach_id);

Bad:
    drop index coach.sessions_coach_id_idx;

Good:
    drop index concurrently coach.sessions_coach_id_idx;

Source: PostgreSQL documentation, DROP INDEX.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ObjectType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, dropped, shown


@rule("LOCK02", "drop-index-without-concurrently", since="0.1", on=ast.DropStmt, in_downs="note")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    if step.tree.removeType != ObjectType.OBJECT_INDEX or step.tree.concurrent:
        return
    for schema, name in dropped(step.tree):
        key = step.chain.resolve(schema, name)
        index = step.chain.indexes.get(key)
        table = index.table if index else None
        if table is not None and (
            step.chain.is_new(table) or step.chain.relation(table).kind == "partitioned"
        ):
            continue
        yield step.found(
            f"Dropping {shown(key)} waits for every query on {shown(table) if table else 'its table'}, "
            "and all later reads and writes wait behind it.",
            "Use DROP INDEX CONCURRENTLY, in a migration with `transaction:false`.",
        )
