"""Policies on a table without row-level security.

The policies have no effect until row-level security is enabled.

Bad:
    create table coach.notes (id bigint primary key, user_id uuid not null);
    create policy notes_select on coach.notes for select to authenticated
        using (user_id = (select auth.uid()));

Good:
    create table coach.notes (id bigint primary key, user_id uuid not null);
    alter table coach.notes enable row level security;
    create policy notes_select on coach.notes for select to authenticated
        using (user_id = (select auth.uid()));

Source: PostgreSQL documentation, Row Security Policies.
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.lint.chain import Chain
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import shown


@rule("RLS03", "policy-without-row-security", since="0.1", on=Chain, level="error")
def check(chain: Chain) -> Iterator[RuleMatch]:
    for name, policies in chain.policies.items():
        table = chain.relation(name)
        if policies and table.known and not table.rls:
            first = next(iter(policies.values()))
            yield RuleMatch(
                first.spot,
                f"The policies of {shown(name)} have no effect: row-level security is disabled.",
                "Run ALTER TABLE … ENABLE ROW LEVEL SECURITY.",
            )
