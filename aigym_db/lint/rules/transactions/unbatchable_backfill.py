"""Backfill that cannot run in batches.

A part marked `batch:` is a single UPDATE or DELETE of one table that runs in batches, each in a transaction.
Its condition must distinguish rows that are already changed from those that are not. `migrate` rejects a
backfill without such a condition, with RETURNING, or with a reference to the current time before it sends
anything.

Bad (migration):
    -- migrate:up batch:5000
    update coach.sessions set rating = coalesce(rating, 0) where id > 0 returning id;

    -- migrate:down irreversible: the previous nulls are not recorded

Bad (migration):
    -- migrate:up batch:5000
    update coach.sessions set rated_at = now() where rated_at < now();

    -- migrate:down irreversible: the previous values are not recorded

Bad (migration):
    -- migrate:up batch:5000
    update coach.sessions set rating = 0 where rating is null;
    update coach.sessions set rated = true where not rated;

    -- migrate:down irreversible: the previous nulls are not recorded

Good (migration):
    -- migrate:up batch:5000
    update coach.sessions set rating = 0 where rating is null;

    -- migrate:down irreversible: the previous nulls are not recorded

Source: docs/production.md, "Backfills".
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast

from aigym_db.lint.reading import parse_section
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext
from aigym_db.project.backfills import objection

_ON = tuple(kind for name, kind in vars(ast).items() if name.endswith("Stmt"))


@rule("TXN09", "unbatchable-backfill", since="0.1", on=_ON, level="error")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    if not step.section.backfill or step.body:
        return
    first = parse_section(step.section)[0][0]
    if step.statement.start != first.start:
        yield step.match(
            "A backfill is a single statement; this is a second one.",
            "Move it to a separate migration.",
        )
        return
    problem = objection(step.tree)
    if problem is not None:
        yield step.match(problem.message, problem.hint, problem.node)
