"""UPDATE or DELETE of every row.

The statement has no WHERE clause, or one that is true for every row (`true`, `1 = 1`, `id = id`, `x or not
x`). It locks and rewrites, or deletes, all rows in one statement.

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
    if (
        not step.in_use(tree.relation)
        or _joined(tree)
        or (step.body == "function" and _may_be_temporary(tree))
    ):
        return
    if tree.whereClause is not None and not is_true(tree.whereClause):
        return
    verb = "changes" if is_a(tree, ast.UpdateStmt) else "deletes"
    why = "it has no WHERE clause" if tree.whereClause is None else "its WHERE clause is true for every row"
    yield step.match(
        f"This {verb} every row of {shown(step.key(tree.relation))}: {why}.",
        "Write a condition for the rows that remain to be changed and run the statement in "
        "batches: `-- migrate:up batch:5000`. If all rows are meant, write `-- allow "
        "dml-without-where: <reason>`.",
        tree.whereClause,
    )


def _joined(tree: Any) -> bool:
    """Return whether FROM or USING with a join condition in WHERE limits the rows."""
    other = tree.fromClause if is_a(tree, ast.UpdateStmt) else tree.usingClause
    return bool(other) and tree.whereClause is not None and not is_true(tree.whereClause)


def _may_be_temporary(tree: Any) -> bool:
    """Return whether the table is a temporary one that a function may have created."""
    return tree.relation.schemaname is None or tree.relation.schemaname == "pg_temp"
