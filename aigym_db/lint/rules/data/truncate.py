"""TRUNCATE of a table that may hold rows.

All rows are gone, whatever policies say, for TRUNCATE ignores row-level security; with CASCADE so are the
rows of every table that refers to it. It takes an ACCESS EXCLUSIVE lock on all of them.

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
        others = sorted(_referring(step, set(tables)))
        more = f", and of {', '.join(others)}" if others else ", and of every table that refers to it"
    yield step.found(
        f"All rows of {', '.join(shown(table) for table in tables)}{more} are lost.",
        "Use DELETE with a WHERE, in batches, or `-- allow truncate: <reason>`.",
    )


def _referring(step: StatementContext, tables: set[str]) -> set[str]:
    """Every table that TRUNCATE … CASCADE empties with these, over foreign keys and their foreign keys."""
    reached = set(tables)
    while True:
        further = {
            relation.name
            for relation in step.chain.relations.values()
            for constraint in relation.constraints.values()
            if constraint.references in reached
        } - reached
        if not further:
            return {shown(table) for table in reached - tables}
        reached |= further
