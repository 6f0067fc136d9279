"""Policy for UPDATE or DELETE without a policy for SELECT.

UPDATE … WHERE and DELETE … WHERE read the rows first. Without a SELECT policy for the same role they find no
rows, change nothing and report success.

Given:
    create table coach.notes (id bigint primary key, user_id uuid not null);
    alter table coach.notes enable row level security;

Bad:
    create policy notes_delete on coach.notes for delete to authenticated
        using (user_id = (select auth.uid()));

Good:
    create policy notes_select on coach.notes for select to authenticated
        using (user_id = (select auth.uid()));
    create policy notes_delete on coach.notes for delete to authenticated
        using (user_id = (select auth.uid()));

Source: PostgreSQL documentation, CREATE POLICY, "Policies Applied by Command Type".
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.lint.chain import Chain
from aigym_db.lint.policies import every_policy
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import shown
from aigym_db.syntax.tree import PUBLIC


@rule("RLS12", "write-without-select-policy", since="0.1", on=Chain)
def check(chain: Chain) -> Iterator[RuleMatch]:
    for policy in every_policy(chain):
        if policy.command not in ("update", "delete") or not policy.permissive:
            continue
        readers = {
            role
            for other in chain.policies_of(policy.table)
            if other.permissive and other.command in ("select", "all")
            for role in other.roles
        }
        without_select = [role for role in policy.roles if role not in readers and PUBLIC not in readers]
        if without_select:
            yield RuleMatch(
                policy.spot,
                f"{policy.command.upper()} … WHERE by {', '.join(without_select)} changes no row of "
                f"{shown(policy.table)}: there is no policy FOR SELECT.",
                "Add a policy FOR SELECT for the same role.",
            )
