"""Table with row-level security and no policy.

Nobody but the owner and roles exempt from row security sees a row: a grant on the table is a promise it
does not keep. A table that is granted to nobody is closed on purpose and passed over, unless the text
grants nothing anywhere.

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
    granted_elsewhere = not any(chain.grants.values())
    for table in chain.relations.values():
        if not table.rls or table.spot is None or chain.policies_of(table.name):
            continue
        who = sorted({grant.role for grant in chain.readers(table)})
        if who or granted_elsewhere:
            yield RuleMatch(
                table.spot,
                f"Nobody sees a row of {shown(table.name)}: row-level security is on and there is no policy"
                + (f", so the grant to {', '.join(who)} gives nothing." if who else "."),
                "Write a policy for each role that is to reach it, or revoke the grants.",
            )
