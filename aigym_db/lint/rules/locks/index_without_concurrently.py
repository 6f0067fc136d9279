"""Index built without CONCURRENTLY on a table that may contain rows.

CREATE INDEX takes a SHARE lock, which blocks every insert, update and delete until the build is complete;
reads are not blocked. An index on a table created in the same file is built on no rows and is safe.

Given:
    create table coach.sessions (id bigint primary key, coach_id bigint not null);

Bad:
    create index sessions_coach_id_idx on coach.sessions (coach_id);

Good:
    create index concurrently sessions_coach_id_idx on coach.sessions (coach_id);

Good:
    create table coach.notes (id bigint primary key, session_id bigint not null);
    create index notes_session_id_idx on coach.notes (session_id);

Source: PostgreSQL documentation, CREATE INDEX, "Building Indexes Concurrently".
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule("LOCK01", "index-without-concurrently", since="0.1", on=ast.IndexStmt, level="error", in_downs="note")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    tree = step.tree
    table = step.relation(tree.relation)
    if tree.concurrent or not step.in_use(tree.relation):
        return
    if table.kind == "partitioned":
        if tree.relation.inh:
            yield step.match(
                f"Building this index blocks every write to {shown(table.name)} and its partitions "
                "until it is complete on all of them.",
                "Create it ON ONLY the parent, build it CONCURRENTLY on each partition, and attach "
                "each with ALTER INDEX … ATTACH PARTITION.",
            )
        return
    yield step.match(
        f"Building this index blocks every write to {shown(table.name)} until it is "
        "complete; reads are not blocked.",
        "Use CREATE INDEX CONCURRENTLY, in a migration with `transaction:false`.",
    )
