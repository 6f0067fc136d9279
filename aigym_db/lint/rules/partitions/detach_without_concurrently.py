"""Partition detached without CONCURRENTLY.

DETACH PARTITION takes an ACCESS EXCLUSIVE lock on the parent, which blocks reads and writes of the whole
partitioned table. CONCURRENTLY does not. PostgreSQL rejects CONCURRENTLY if the table has a default
partition; such tables are not reported.

Given:
    create table coach.events (at timestamptz not null, note text) partition by range (at);
    create table coach.events_2021 partition of coach.events for values from ('2021-01-01') to ('2022-01-01');

Bad:
    alter table coach.events detach partition coach.events_2021;

Good:
    alter table coach.events detach partition coach.events_2021 concurrently;

Source: PostgreSQL documentation, ALTER TABLE, DETACH PARTITION.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import AlterTableType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule("PART05", "detach-without-concurrently", since="0.1", on=ast.AlterTableStmt, in_downs="note")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    for command in step.changes(AlterTableType.AT_DetachPartition):
        table = step.relation(step.tree.relation)
        if not command.def_.concurrent and table.default_partition is None:
            yield step.match(
                f"This locks {shown(table.name)} against reads and writes; while it waits for the "
                "lock, later reads and writes queue behind it.",
                "Use DETACH PARTITION … CONCURRENTLY, in a migration with `transaction:false`.",
                command,
            )
