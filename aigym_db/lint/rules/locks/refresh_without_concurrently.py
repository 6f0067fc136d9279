"""Materialized view refreshed without CONCURRENTLY.

REFRESH MATERIALIZED VIEW takes an ACCESS EXCLUSIVE lock, which blocks reads of the view until its query is
complete. CONCURRENTLY does not block reads; it requires a unique index on the view that covers all rows.

Given:
    create materialized view coach.ranking as select 1 as place;
    create unique index ranking_place_key on coach.ranking (place);

Bad:
    refresh materialized view coach.ranking;

Good:
    refresh materialized view concurrently coach.ranking;

Source: PostgreSQL documentation, REFRESH MATERIALIZED VIEW.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule("LOCK20", "refresh-without-concurrently", since="0.1", on=ast.RefreshMatViewStmt, in_downs="note")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    tree = step.tree
    if tree.concurrent or not step.in_use(tree.relation):
        return
    name = step.key(tree.relation)
    unique = any(index.unique for index in step.chain.indexes.values() if index.table == name)
    first = "" if unique else "Create a unique index on it, then "
    yield step.match(
        f"Reads of {shown(name)} are blocked until the refresh is complete.",
        f"{first}{'use' if first else 'Use'} REFRESH MATERIALIZED VIEW CONCURRENTLY.",
    )
