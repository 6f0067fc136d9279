"""TRUNCATE of a table that may contain rows.

All rows are lost. TRUNCATE ignores row-level security policies; with CASCADE it also empties every table that
references the named one. It takes an ACCESS EXCLUSIVE lock on all of these tables.

Given:
    create table coach.sessions (id bigint primary key);

Bad:
    truncate coach.sessions;

Good:
    delete from coach.sessions where id < 1000;

Source: PostgreSQL documentation, TRUNCATE.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import DropBehavior

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule("DATA03", "truncate", since="0.1", on=ast.TruncateStmt, in_downs="skip")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    tables = [step.key(table) for table in step.tree.relations if step.in_use(table)]
    if not tables:
        return
    more = ""
    if step.tree.behavior == DropBehavior.DROP_CASCADE:
        others = sorted(_referencing(step, set(tables)))
        more = f", and of {', '.join(others)}" if others else ", and of every table that references it"
    yield step.match(
        f"All rows of {', '.join(shown(table) for table in tables)}{more} are lost.",
        "Use DELETE with a WHERE clause in batches, or write `-- allow truncate: <reason>`.",
    )


def _referencing(step: StatementContext, tables: set[str]) -> set[str]:
    """Return the tables TRUNCATE … CASCADE also empties: those that reference the tables, transitively."""
    reached = set(tables)
    while True:
        referencing = {
            relation.name
            for relation in step.chain.relations.values()
            for constraint in relation.constraints.values()
            if constraint.references in reached
        } - reached
        if not referencing:
            return {shown(table) for table in reached - tables}
        reached |= referencing
