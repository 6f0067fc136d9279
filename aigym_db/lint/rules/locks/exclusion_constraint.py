"""Exclusion constraint added to a table that may contain rows.

Its index is built under an ACCESS EXCLUSIVE lock, which blocks reads and writes. PostgreSQL has no way to
build the index in advance.

Given:
    create table coach.slots (id bigint primary key, during tstzrange not null);

Bad:
    alter table coach.slots add constraint slots_during_excl exclude using gist (during with &&);

Good:
    create table coach.bookings (
        id bigint primary key,
        during tstzrange not null,
        constraint bookings_during_excl exclude using gist (during with &&)
    );

Source: PostgreSQL documentation, ALTER TABLE.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ConstrType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule("LOCK24", "exclusion-constraint", since="0.1", on=ast.AlterTableStmt, level="error", in_downs="note")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    for constraint in step.added_constraints(ConstrType.CONSTR_EXCLUSION):
        table = shown(step.key(step.tree.relation))
        yield step.match(
            f"Building the index of this constraint blocks every read and write of {table} "
            "until it is complete.",
            "Create a new table with the constraint and copy the rows in batches, or use a "
            "maintenance window.",
            constraint,
        )
