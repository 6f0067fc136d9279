"""A part that says `batch:` and holds something that cannot be made in batches.

A backfill is one UPDATE or DELETE of one table, made page by page, each batch a transaction. Its condition
has to tell a row that is done from one that is not. What has no such condition, returns rows or asks what
time it is, `migrate` refuses before it sends anything.

Bad (migration):
    -- migrate:up batch:5000
    update coach.sessions set rating = coalesce(rating, 0) where id > 0 returning id;

    -- migrate:down irreversible: nobody knows any more which were null

Bad (migration):
    -- migrate:up batch:5000
    update coach.sessions set rated_at = now() where rated_at < now();

    -- migrate:down irreversible: nobody knows any more what it was

Bad (migration):
    -- migrate:up batch:5000
    update coach.sessions set rating = 0 where rating is null;
    update coach.sessions set rated = true where not rated;

    -- migrate:down irreversible: nobody knows any more which were null

Good (migration):
    -- migrate:up batch:5000
    update coach.sessions set rating = 0 where rating is null;

    -- migrate:down irreversible: nobody knows any more which were null

Source: `migrate`, "Backfills" in the README.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast

from aigym_db.lint.reading import read
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext
from aigym_db.project.backfills import objection

_ON = tuple(kind for name, kind in vars(ast).items() if name.endswith("Stmt"))


@rule("TXN09", "unbatchable-backfill", since="0.1", on=_ON, level="error")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    if not step.passage.backfill or step.body:
        return
    first = read(step.passage)[0][0]
    if step.statement.start != first.start:
        yield step.found(
            "A backfill is one statement, and this is another.",
            "Put it into a migration of its own.",
        )
        return
    found = objection(step.tree)
    if found is not None:
        yield step.found(found.message, found.hint, found.node)
