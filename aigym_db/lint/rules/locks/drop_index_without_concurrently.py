"""Index dropped without CONCURRENTLY.

DROP INDEX takes an ACCESS EXCLUSIVE lock on the table. The drop itself is fast, but it waits for every
running query on the table, and later reads and writes queue behind it. The index of a constraint cannot be
dropped with DROP INDEX, and a partitioned index cannot be dropped concurrently; neither is reported, because
no safer form exists.

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
        yield step.match(
            f"Dropping {shown(key)} waits for every query on "
            f"{shown(table) if table else 'its table'}, and later reads and writes queue behind "
            "it.",
            "Use DROP INDEX CONCURRENTLY, in a migration with `transaction:false`.",
        )
