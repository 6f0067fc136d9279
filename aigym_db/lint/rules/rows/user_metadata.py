"""Policy or function that relies on metadata users can edit.

Users can change their own user_metadata (raw_user_meta_data in auth.users). A role read from it is a role
that the user can assign to themselves.

Given:
    create table coach.notes (id bigint primary key, user_id uuid not null);
    alter table coach.notes enable row level security;

Bad:
    create policy notes_select on coach.notes for select to authenticated
        using ((select auth.jwt()) -> 'user_metadata' ->> 'role' = 'coach' and user_id is not null);

Good:
    create policy notes_select on coach.notes for select to authenticated
        using ((select auth.jwt()) -> 'app_metadata' ->> 'user' = user_id::text);

Source: Supabase documentation, Row Level Security, auth.jwt().
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pglast import ast

from aigym_db.lint.chain import Chain
from aigym_db.lint.policies import every_policy, expressions, spot_in_policy
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import shown
from aigym_db.syntax.tree import column_names, dotted, is_a, nodes

_USER_EDITABLE = {"user_metadata", "raw_user_meta_data"}


@rule("RLS15", "user-metadata", since="0.1", on=Chain, level="error")
def check(chain: Chain) -> Iterator[RuleMatch]:
    for policy in every_policy(chain):
        for _, expression in expressions(policy):
            node = next((node for node in nodes(expression) if _reads_metadata(chain, node)), None)
            if node is not None:
                yield RuleMatch(
                    spot_in_policy(policy, node),
                    f"Policy {policy.name} of {shown(policy.table)} reads user_metadata, which users "
                    "can change.",
                    "Read app_metadata, or a table that only administrators can write.",
                )


def _reads_metadata(chain: Chain, node: Any) -> bool:
    if is_a(node, ast.A_Const) and is_a(node.val, ast.String):
        return node.val.sval in _USER_EDITABLE
    if is_a(node, ast.ColumnRef):
        return bool(column_names(node) & _USER_EDITABLE)
    if is_a(node, ast.FuncCall):
        return any(
            name in function.spot.statement.text
            for function in chain.overloads(dotted(node.funcname))
            for name in _USER_EDITABLE
        )
    return False
