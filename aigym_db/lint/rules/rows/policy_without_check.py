"""Policy for writing without WITH CHECK.

A policy FOR INSERT without WITH CHECK accepts no row. A policy FOR UPDATE or FOR ALL without it applies USING
to the new row, so whether a row may be reassigned to another owner or tenant is not stated explicitly.

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
            message = f"Policy {policy.name} accepts no row into {shown(policy.table)}: it has no WITH CHECK."
        else:
            message = (
                f"Policy {policy.name} of {shown(policy.table)} does not state which new values an "
                "UPDATE may write."
            )
        yield RuleMatch(
            policy.spot, message, "Add WITH CHECK.", level="error" if policy.command == "insert" else None
        )
