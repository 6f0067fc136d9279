"""Policy in which a null identity matches null columns.

IS NOT DISTINCT FROM treats two nulls as equal: a caller without identity, for whom auth.uid() or
current_setting() is null, sees every row whose column is null. With =, a null matches nothing.

Given:
    create table coach.notes (id bigint primary key, user_id uuid);
    alter table coach.notes enable row level security;

Bad:
    create policy notes_select on coach.notes for select to authenticated
        using (user_id is not distinct from (select auth.uid()));

Good:
    create policy notes_select on coach.notes for select to authenticated
        using (user_id = (select auth.uid()));

Source: PostgreSQL documentation, Comparison Functions and Operators.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import A_Expr_Kind

from aigym_db.lint.chain import Chain
from aigym_db.lint.policies import every_policy, expressions, spot_in_policy
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import shown
from aigym_db.syntax.tree import is_a, nodes


@rule("RLS16", "policy-null-matches", since="0.1", on=Chain, level="error")
def check(chain: Chain) -> Iterator[RuleMatch]:
    for policy in every_policy(chain):
        for _, expression in expressions(policy):
            for node in nodes(expression):
                if not is_a(node, ast.A_Expr) or node.kind != A_Expr_Kind.AEXPR_NOT_DISTINCT:
                    continue
                if any(
                    is_a(item, ast.FuncCall, ast.SubLink)
                    for side in (node.lexpr, node.rexpr)
                    for item in nodes(side)
                ):
                    yield RuleMatch(
                        spot_in_policy(policy, node),
                        f"A caller without identity can access the rows of {shown(policy.table)} whose "
                        "column is null.",
                        "Compare with =.",
                    )
