"""Restrictive policies without a permissive policy.

Restrictive policies only reduce what permissive policies allow. Without a permissive policy, no row is
accessible.

Given:
    create table coach.notes (id bigint primary key, user_id uuid not null);
    alter table coach.notes enable row level security;

Bad:
    create policy notes_mine on coach.notes as restrictive to authenticated
        using (user_id = (select auth.uid()));

Good:
    create policy notes_mine on coach.notes as restrictive to authenticated
        using (user_id = (select auth.uid()));
    create policy notes_select on coach.notes for select to authenticated using (true);

Source: PostgreSQL documentation, CREATE POLICY.
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.lint.chain import Chain
from aigym_db.lint.policies import every_policy, same_command, same_role
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import shown


@rule("RLS13", "restrictive-only", since="0.1", on=Chain)
def check(chain: Chain) -> Iterator[RuleMatch]:
    for policy in every_policy(chain):
        if policy.permissive:
            continue
        others = (other for other in chain.policies_of(policy.table) if other.permissive)
        if not any(same_role(policy, other) and same_command(policy, other) for other in others):
            yield RuleMatch(
                policy.spot,
                f"No row of {shown(policy.table)} is accessible: there is no permissive policy for "
                f"the roles and commands that {policy.name} restricts.",
                "Add the permissive policy that this policy restricts.",
            )
