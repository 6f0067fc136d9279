"""UPDATE or DELETE of every row.

There is no WHERE, or one that is true for every row (`true`, `1 = 1`, `id = id`, `x or not x`). All rows
are locked and written again in one go, or lost.

Given:
    create table coach.sessions (id bigint primary key, rating integer);

Bad:
    delete from coach.sessions;

Bad:
    update coach.sessions set rating = 0 where id = id or 2 > 1;

Good:
    update coach.sessions set rating = 0 where rating is null and id between 1 and 10000;

Good:
    create table coach.ratings (value integer);
    insert into coach.ratings values (1);
    update coach.ratings set value = 2;

Source: PostgreSQL documentation, UPDATE; DELETE.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pglast import ast

from aigym_db.lint.folding import is_true
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown
from aigym_db.syntax.tree import is_a


@rule(
    "DATA04",
    "dml-without-where",
    since="0.1",
    on=(ast.UpdateStmt, ast.DeleteStmt),
    in_downs="skip",
    in_functions=True,
)
def check(step: StatementContext) -> Iterator[RuleMatch]:
    tree = step.tree
    if not step.in_use(tree.relation) or _joined(tree) or (step.body == "function" and _transition(tree)):
        return
    if tree.whereClause is not None and not is_true(tree.whereClause):
        return
    verb = "changes" if is_a(tree, ast.UpdateStmt) else "deletes"
    why = "there is no WHERE" if tree.whereClause is None else "the WHERE is true for every row"
    yield step.found(
        f"This {verb} every row of {shown(step.key(tree.relation))}: {why}.",
        "Say which rows are not done yet, and let it be done in batches: `-- migrate:up batch:5000`; if it "
        "is to be all at once, write `-- allow dml-without-where: <reason>`.",
        tree.whereClause,
    )


def _joined(tree: Any) -> bool:
    """FROM and USING limit the rows too, by their join condition; without WHERE they do not."""
    other = tree.fromClause if is_a(tree, ast.UpdateStmt) else tree.usingClause
    return bool(other) and tree.whereClause is not None and not is_true(tree.whereClause)


def _transition(tree: Any) -> bool:
    """A temporary table that a function made for itself."""
    return tree.relation.schemaname is None or tree.relation.schemaname == "pg_temp"
