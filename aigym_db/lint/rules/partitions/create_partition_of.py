"""Partition of an existing table created with PARTITION OF.

CREATE TABLE … PARTITION OF takes an ACCESS EXCLUSIVE lock on the parent, which blocks reads and writes of the
whole partitioned table. ATTACH PARTITION takes a SHARE UPDATE EXCLUSIVE lock, which blocks neither.

Given:
    create table coach.events (at timestamptz not null, note text) partition by range (at);

Bad:
    create table coach.events_2031 partition of coach.events for values from ('2031-01-01') to ('2032-01-01');

Good:
    create table coach.events_2031 (like coach.events including all);
    alter table coach.events attach partition coach.events_2031
        for values from ('2031-01-01') to ('2032-01-01');

Source: PostgreSQL documentation, Table Partitioning, "Partition Maintenance".
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule("PART01", "create-partition-of", since="0.1", on=ast.CreateStmt, in_downs="note")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    tree = step.tree
    if tree.partbound is None:
        return
    for parent in tree.inhRelations:
        if step.in_use(parent):
            yield step.match(
                f"This locks {shown(step.key(parent))} against reads and writes; while it waits for "
                "the lock, later reads and writes queue behind it.",
                "Use CREATE TABLE … (LIKE … INCLUDING ALL), then ALTER TABLE … ATTACH PARTITION.",
            )
