"""Index of a partitioned table created or dropped CONCURRENTLY.

PostgreSQL does not support this and raises an error.

Given:
    create table coach.events (at timestamptz not null, note text) partition by range (at);
    create table coach.events_2021 partition of coach.events for values from ('2021-01-01') to ('2022-01-01');

Bad (rejected):
    create index concurrently events_at_idx on coach.events (at);

Good:
    create index events_at_idx on only coach.events (at);
    create index concurrently events_2021_at_idx on coach.events_2021 (at);
    alter index coach.events_at_idx attach partition coach.events_2021_at_idx;

Source: PostgreSQL documentation, CREATE INDEX, "Building Indexes Concurrently"; SQLSTATE 0A000.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ObjectType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, dropped, shown
from aigym_db.syntax.tree import is_a


@rule("PART08", "concurrently-on-partitioned", since="0.1", on=(ast.IndexStmt, ast.DropStmt), level="error")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    tree = step.tree
    if not tree.concurrent:
        return
    if is_a(tree, ast.IndexStmt):
        table = step.relation(tree.relation)
        if table.kind == "partitioned":
            yield step.match(
                f"PostgreSQL rejects CONCURRENTLY here: {shown(table.name)} is partitioned.",
                "Create it ON ONLY the parent, build it CONCURRENTLY on each partition, and attach "
                "each with ALTER INDEX … ATTACH PARTITION.",
            )
    elif tree.removeType == ObjectType.OBJECT_INDEX:
        for schema, name in dropped(tree):
            index = step.chain.indexes.get(step.chain.resolve(schema, name))
            if index is not None and step.chain.relation(index.table).kind == "partitioned":
                yield step.match(
                    f"PostgreSQL rejects CONCURRENTLY here: {shown(index.table)} is partitioned.",
                    "Drop it without CONCURRENTLY, with a short lock_timeout.",
                )
