"""REINDEX without CONCURRENTLY.

REINDEX takes a SHARE lock on the table and an ACCESS EXCLUSIVE lock on the index, which blocks writes, and
reads that would use the index, until the index is rebuilt.

Given:
    create table coach.sessions (id bigint primary key, coach_id bigint not null);

Bad:
    reindex table coach.sessions;

Good:
    reindex table concurrently coach.sessions;

Source: PostgreSQL documentation, REINDEX, "Rebuilding Indexes Concurrently".
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ReindexObjectType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown
from aigym_db.syntax.tree import is_on


@rule(
    "LOCK03", "reindex-without-concurrently", since="0.1", on=ast.ReindexStmt, level="error", in_downs="note"
)
def check(step: StatementContext) -> Iterator[RuleMatch]:
    tree = step.tree
    if is_on(tree.params, "concurrently") or tree.kind == ReindexObjectType.REINDEX_OBJECT_SYSTEM:
        return
    if tree.relation is None:
        target = f"every table of {tree.name}" if tree.name else "every table of the database"
    else:
        key = step.key(tree.relation)
        index = step.chain.indexes.get(key)
        if step.chain.is_new(index.table if index else key):
            return
        target = shown(index.table if index else key)
    yield step.match(
        f"Rebuilding blocks every write to {target}, and reads that use the index, until it is complete.",
        "Use REINDEX … CONCURRENTLY, in a migration with `transaction:false`.",
    )
