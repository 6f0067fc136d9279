"""VACUUM FULL or CLUSTER.

Both write the table and its indexes into new files under an ACCESS EXCLUSIVE lock, which blocks reads and
writes until they are complete. They belong in a maintenance window, not in a migration.

Given:
    create table coach.sessions (id bigint primary key);

Bad:
    vacuum full coach.sessions;

Bad:
    cluster coach.sessions using sessions_pkey;

Good:
    vacuum (analyze) coach.sessions;

Source: PostgreSQL documentation, VACUUM; CLUSTER.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown
from aigym_db.syntax.tree import is_a, is_on


@rule(
    "LOCK19", "vacuum-full", since="0.1", on=(ast.VacuumStmt, ast.ClusterStmt), level="error", in_downs="note"
)
def check(step: StatementContext) -> Iterator[RuleMatch]:
    tree = step.tree
    if is_a(tree, ast.VacuumStmt):
        if not tree.is_vacuumcmd or not is_on(tree.options, "full"):
            return
        tables = [item.relation for item in tree.rels or ()]
    else:
        tables = [tree.relation] if tree.relation else []
    names = ", ".join(shown(step.key(table)) for table in tables) or "every table"
    yield step.match(
        f"This rewrites {names}, which blocks reads and writes until it is complete.",
        "Use VACUUM without FULL, or pg_repack.",
    )
