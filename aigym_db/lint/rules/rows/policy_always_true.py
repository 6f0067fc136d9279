"""Policy whose condition is true for every row.

Expressions that do not depend on the row are evaluated: `true`, `1 = 1`, `2 > 1`, `id = id`, `true or x`,
`not false`, `x or not x`, `id is not null` of a NOT NULL column. A literal `using (true)` in a policy FOR
SELECT to a named role is the usual form for rows that all may read and is not reported; an equivalent
expression is.

Given:
    create table coach.notes (id bigint primary key, user_id uuid not null);
    alter table coach.notes enable row level security;

Bad:
    create policy notes_all on coach.notes to authenticated using (true) with check (true);

Bad:
    create policy notes_select on coach.notes for select to authenticated using (id = id or user_id is null);

Good:
    create policy notes_select on coach.notes for select to authenticated
        using (user_id = (select auth.uid()));

Good:
    create policy notes_select on coach.notes for select to authenticated using (true);

Source: PostgreSQL documentation, CREATE POLICY.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pglast import ast

from aigym_db.lint.chain import Chain
from aigym_db.lint.folding import is_true
from aigym_db.lint.objects import Policy
from aigym_db.lint.policies import every_policy, expressions, spot_in_policy
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import shown
from aigym_db.syntax.tree import PUBLIC, is_a


@rule("RLS04", "policy-always-true", since="0.1", on=Chain, level="error")
def check(chain: Chain) -> Iterator[RuleMatch]:
    for policy in every_policy(chain):
        table = chain.relation(policy.table)
        never_null = frozenset(column.name for column in table.columns.values() if column.not_null)
        for clause, expression in expressions(policy):
            if not is_true(expression, never_null) or _is_literal_read(policy, expression):
                continue
            effect = (
                f"Every row of {shown(policy.table)} passes policy {policy.name}"
                if policy.permissive
                else f"Policy {policy.name} restricts nothing"
            )
            yield RuleMatch(
                spot_in_policy(policy, expression),
                f"{effect}: its {clause} expression is true for every row.",
                "Compare a column with the current user or tenant.",
            )


def _is_literal_read(policy: Policy, expression: Any) -> bool:
    literal = is_a(expression, ast.A_Const)
    return policy.command == "select" and policy.permissive and literal and PUBLIC not in policy.roles
