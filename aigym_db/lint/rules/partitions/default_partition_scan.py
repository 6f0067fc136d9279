"""Partition added to a table that has a default partition.

PostgreSQL scans the whole default partition under an ACCESS EXCLUSIVE lock for rows that belong in the new
partition. A CHECK constraint on the new partition does not prevent the scan; a validated CHECK on the default
partition that excludes the range does.

Given:
    create table coach.events (at timestamptz not null, note text) partition by range (at);
    create table coach.events_rest
        partition of coach.events default; -- allow default-partition: the example needs one

Bad:
    create table coach.events_2031 (like coach.events including all);
    alter table coach.events attach partition coach.events_2031
        for values from ('2031-01-01') to ('2032-01-01');

Good:
    alter table coach.events_rest add constraint events_rest_at_check check (at < '2031-01-01') not valid;
    alter table coach.events_rest validate constraint events_rest_at_check;
    create table coach.events_2031 (like coach.events including all);
    alter table coach.events attach partition coach.events_2031
        for values from ('2031-01-01') to ('2032-01-01');
    alter table coach.events_rest drop constraint events_rest_at_check;

Source: PostgreSQL documentation, ALTER TABLE, ATTACH PARTITION.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import AlterTableType

from aigym_db.lint.proofs import proves_bound
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown
from aigym_db.syntax.tree import is_a


@rule(
    "PART04", "default-partition-scan", since="0.1", on=(ast.CreateStmt, ast.AlterTableStmt), in_downs="note"
)
def check(step: StatementContext) -> Iterator[RuleMatch]:
    tree = step.tree
    if is_a(tree, ast.CreateStmt):
        parents = tree.inhRelations if tree.partbound is not None else ()
    else:
        parents = tuple(tree.relation for _ in step.changes(AlterTableType.AT_AttachPartition))
    for parent in parents or ():
        table = step.relation(parent)
        default = step.chain.relation(table.default_partition) if table.default_partition else None
        if default is None or step.chain.is_new(default.name):
            continue
        if all(proves_bound(default, column) for column in table.partition_key):
            continue
        yield step.match(
            f"All rows of {shown(default.name)}, the default partition, are scanned, which "
            "blocks reads and writes of it.",
            "Add a CHECK to the default partition that excludes the new range, NOT VALID, and "
            "validate it first.",
        )
