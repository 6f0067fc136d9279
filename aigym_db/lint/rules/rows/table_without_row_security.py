"""Table accessible to roles without row-level security.

A role with a privilege on the table reads and writes every row of every tenant. A table is reported if a role
that is neither its owner nor exempt from row security has a privilege on it, in a schema the role may use. If
no table of the project uses row security, only grants to PUBLIC, anon and authenticated are considered.

Bad:
    create table coach.notes (id bigint primary key);
    grant select on coach.notes to authenticated;

Good:
    create table coach.notes (id bigint primary key, user_id uuid not null);
    alter table coach.notes enable row level security;
    create policy notes_select on coach.notes for select to authenticated
        using (user_id = (select auth.uid()));
    grant select on coach.notes to authenticated;

Good:
    create table coach.imports (id bigint primary key);

Source: PostgreSQL documentation, Row Security Policies.
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.lint.chain import Chain
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import shown

_CLIENT_ROLES = {"public", "anon", "authenticated"}


@rule("RLS01", "table-without-row-security", since="0.1", on=Chain, level="error")
def check(chain: Chain) -> Iterator[RuleMatch]:
    expected = chain.uses_row_security()
    for table in chain.relations.values():
        if table.kind not in ("table", "partitioned") or table.rls or table.temporary or table.spot is None:
            continue
        roles = sorted(
            {grant.role for grant in chain.readers(table) if expected or grant.role in _CLIENT_ROLES}
        )
        if roles and not chain.policies_of(table.name):
            yield RuleMatch(
                table.spot,
                f"{', '.join(roles)} can access every row of {shown(table.name)}: row-level "
                "security is disabled.",
                "Run ALTER TABLE … ENABLE ROW LEVEL SECURITY and write its policies.",
            )
