"""Partition detached without CONCURRENTLY.

DETACH PARTITION takes an ACCESS EXCLUSIVE lock on the parent: every read and write of the whole partitioned
table waits. CONCURRENTLY does not, and is refused while there is a default partition: then nothing is said.

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
            yield step.found(
                f"Every read and write of {shown(table.name)} waits for this lock, and queues behind it.",
                "Use DETACH PARTITION … CONCURRENTLY, in a migration with `transaction:false`.",
                command,
            )
