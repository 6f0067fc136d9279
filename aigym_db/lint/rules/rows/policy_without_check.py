"""Policy for writing that does not say what a row may become.

A policy FOR INSERT without WITH CHECK lets nothing in. A policy FOR UPDATE or for all commands without it
holds the new row to USING: whether a row may be handed to another owner or tenant is then decided by
accident.

Given:
    create table coach.notes (id bigint primary key, user_id uuid not null);
    alter table coach.notes enable row level security;
    create policy notes_select on coach.notes for select to authenticated
        using (user_id = (select auth.uid()));

Bad:
    create policy notes_update on coach.notes for update to authenticated
        using (user_id = (select auth.uid()));

Good:
    create policy notes_update on coach.notes for update to authenticated
        using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));

Source: PostgreSQL documentation, CREATE POLICY.
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.lint.chain import Chain
from aigym_db.lint.policies import every_policy
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import shown


@rule("RLS06", "policy-without-check", since="0.1", on=Chain)
def check(chain: Chain) -> Iterator[RuleMatch]:
    for policy in every_policy(chain):
        if policy.check is not None or policy.command in ("select", "delete") or not policy.permissive:
            continue
        if policy.command == "insert":
            message = f"Policy {policy.name} lets nothing into {shown(policy.table)}: it has no WITH CHECK."
        else:
            message = (
                f"Policy {policy.name} of {shown(policy.table)} does not say what an updated row may become."
            )
        yield RuleMatch(
            policy.spot, message, "Write WITH CHECK.", level="error" if policy.command == "insert" else None
        )
