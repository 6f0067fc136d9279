"""Policy or function that trusts what users may write about themselves.

user_metadata (raw_user_meta_data in auth.users) can be changed by the user it describes: a role read from
it is a role they gave themselves.

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
from aigym_db.lint.policies import every_policy, expressions, spot
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import shown
from aigym_db.syntax.tree import column_names, dotted, is_a, nodes

_OWN_WORD = {"user_metadata", "raw_user_meta_data"}


@rule("RLS15", "user-metadata", since="0.1", on=Chain, level="error")
def check(chain: Chain) -> Iterator[RuleMatch]:
    for policy in every_policy(chain):
        for _, expression in expressions(policy):
            node = next((node for node in nodes(expression) if _trusts(chain, node)), None)
            if node is not None:
                yield RuleMatch(
                    spot(policy, node),
                    f"Users can write what policy {policy.name} of {shown(policy.table)} reads: their own "
                    "user_metadata.",
                    "Read app_metadata, or a table that only administrators write.",
                )


def _trusts(chain: Chain, node: Any) -> bool:
    if is_a(node, ast.A_Const) and is_a(node.val, ast.String):
        return node.val.sval in _OWN_WORD
    if is_a(node, ast.ColumnRef):
        return bool(column_names(node) & _OWN_WORD)
    if is_a(node, ast.FuncCall):
        return any(
            word in function.spot.statement.text
            for function in chain.function(dotted(node.funcname))
            for word in _OWN_WORD
        )
    return False
