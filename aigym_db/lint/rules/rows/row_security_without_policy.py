"""Table with row-level security and no policy.

Only the owner and roles exempt from row security can access its rows; a grant on the table has no effect. A
table without grants is assumed to be closed on purpose and is not reported, unless the SQL contains no grants
at all.

Bad:
    create table coach.notes (id bigint primary key);
    alter table coach.notes enable row level security;
    grant select on coach.notes to authenticated;

Good:
    create table coach.notes (id bigint primary key, user_id uuid not null);
    alter table coach.notes enable row level security;
    grant select on coach.notes to authenticated;
    create policy notes_select on coach.notes for select to authenticated
        using (user_id = (select auth.uid()));

Source: PostgreSQL documentation, Row Security Policies.
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.lint.chain import Chain
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import shown


@rule("RLS02", "row-security-without-policy", since="0.1", on=Chain)
def check(chain: Chain) -> Iterator[RuleMatch]:
    no_grants = not any(chain.grants.values())
    for table in chain.relations.values():
        if not table.rls or table.spot is None or chain.policies_of(table.name):
            continue
        roles = sorted({grant.role for grant in chain.readers(table)})
        if roles or no_grants:
            yield RuleMatch(
                table.spot,
                f"No row of {shown(table.name)} is accessible: row-level security is enabled and "
                "there is no policy"
                + (f", so the grant to {', '.join(roles)} has no effect." if roles else "."),
                "Write a policy for each role that needs access, or revoke the grants.",
            )
