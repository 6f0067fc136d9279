"""DETACH PARTITION CONCURRENTLY from a table that has a default partition.

PostgreSQL does not support this and raises an error.

Given:
    create table coach.events (at timestamptz not null, note text) partition by range (at);
    create table coach.events_2021 partition of coach.events for values from ('2021-01-01') to ('2022-01-01');
    create table coach.events_rest
        partition of coach.events default; -- allow default-partition: the example needs one

Bad (rejected):
    alter table coach.events detach partition coach.events_2021 concurrently;

Good:
    alter table coach.events detach partition coach.events_2021;

Source: PostgreSQL documentation, ALTER TABLE, DETACH PARTITION.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import AlterTableType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule("PART06", "detach-concurrently-default", since="0.1", on=ast.AlterTableStmt, level="error")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    table = step.relation(step.tree.relation)
    for command in step.tree.cmds:
        if command.subtype != AlterTableType.AT_DetachPartition or not command.def_.concurrent:
            continue
        if table.default_partition is not None:
            yield step.match(
                f"PostgreSQL rejects CONCURRENTLY here: {shown(table.name)} has a default "
                f"partition, {shown(table.default_partition)}.",
                "Detach without CONCURRENTLY with a short lock_timeout, or remove the default partition.",
                command,
            )
