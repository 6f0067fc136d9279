"""Table dropped while it is a partition.

DROP TABLE of a partition also takes an ACCESS EXCLUSIVE lock on the parent, which blocks reads and writes of
the whole partitioned table. Dropping a detached table does not lock the parent.

Given:
    create table coach.events (at timestamptz not null, note text) partition by range (at);
    create table coach.events_2021 partition of coach.events for values from ('2021-01-01') to ('2022-01-01');

Bad:
    -- allow drop-table: archived
    drop table coach.events_2021;

Good:
    alter table coach.events detach partition coach.events_2021 concurrently;
    -- allow drop-table: archived
    drop table coach.events_2021;

Source: PostgreSQL documentation, Table Partitioning, "Partition Maintenance".
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ObjectType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, dropped, shown


@rule("PART09", "drop-partition", since="0.1", on=ast.DropStmt, in_downs="note")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    if step.tree.removeType != ObjectType.OBJECT_TABLE:
        return
    targets = {step.chain.resolve(schema, name) for schema, name in dropped(step.tree)}
    for key in sorted(targets):
        parent = step.chain.relation(key).parent
        if parent is not None and parent not in targets and not step.chain.is_new(parent):
            yield step.match(
                f"This locks {shown(parent)} against reads and writes; while it waits for the lock, "
                "later reads and writes queue behind it.",
                "Detach the partition CONCURRENTLY first.",
            )
