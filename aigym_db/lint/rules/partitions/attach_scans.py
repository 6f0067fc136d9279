"""Partition attached that must be scanned first.

ATTACH PARTITION scans the whole new partition under an ACCESS EXCLUSIVE lock on it, unless a validated CHECK
constraint proves that its rows are within the partition bounds. A table created in the same file is empty and
is not reported.

Given:
    create table coach.events (at timestamptz not null, note text) partition by range (at);
    create table coach.old_events (at timestamptz not null, note text);

Bad:
    alter table coach.events attach partition coach.old_events
        for values from ('2020-01-01') to ('2021-01-01');

Good:
    alter table coach.old_events add constraint old_events_at_check
        check (at >= '2020-01-01' and at < '2021-01-01') not valid;
    alter table coach.old_events validate constraint old_events_at_check;
    alter table coach.events attach partition coach.old_events
        for values from ('2020-01-01') to ('2021-01-01');
    alter table coach.old_events drop constraint old_events_at_check;

Source: PostgreSQL documentation, ALTER TABLE, ATTACH PARTITION.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import AlterTableType

from aigym_db.lint.proofs import proves_bound
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule("PART02", "attach-scans", since="0.1", on=ast.AlterTableStmt, in_downs="note")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    for command in step.changes(AlterTableType.AT_AttachPartition):
        child = step.relation(command.def_.name)
        key = step.relation(step.tree.relation).partition_key
        if not step.in_use(command.def_.name) or (key and all(proves_bound(child, column) for column in key)):
            continue
        if not key and any(item.kind == "check" and item.validated for item in child.constraints.values()):
            continue
        yield step.match(
            f"All rows of {shown(child.name)} are scanned before it is attached, which blocks "
            "reads and writes of it.",
            "Add a CHECK of the bounds NOT VALID, validate it, attach the partition, then drop the check.",
            command,
        )
