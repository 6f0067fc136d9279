"""Default partition created.

Adding a partition later scans the whole default partition under an ACCESS EXCLUSIVE lock, and PostgreSQL
rejects DETACH PARTITION CONCURRENTLY. Rows without a matching partition are stored in the default partition
instead of raising an error.

Given:
    create table coach.events (at timestamptz not null, note text) partition by range (at);

Bad:
    create table coach.events_rest (like coach.events including all);
    alter table coach.events attach partition coach.events_rest default;

Good:
    create table coach.events_2031 (like coach.events including all);
    alter table coach.events attach partition coach.events_2031
        for values from ('2031-01-01') to ('2032-01-01');

Source: PostgreSQL documentation, Table Partitioning, "Partition Maintenance".
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import AlterTableType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown
from aigym_db.syntax.tree import is_a


@rule("PART03", "default-partition", since="0.1", on=(ast.CreateStmt, ast.AlterTableStmt), in_downs="skip")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    tree = step.tree
    if is_a(tree, ast.CreateStmt):
        parents = tree.inhRelations if tree.partbound is not None and tree.partbound.is_default else ()
    else:
        parents = tuple(
            tree.relation
            for command in tree.cmds
            if command.subtype == AlterTableType.AT_AttachPartition
            and command.def_.bound is not None
            and command.def_.bound.is_default
        )
    for parent in parents or ():
        yield step.match(
            f"Each later partition of {shown(step.key(parent))} scans this whole partition and "
            "blocks reads and writes of it.",
            "Create partitions in advance instead, so that rows without a partition raise an error.",
        )
