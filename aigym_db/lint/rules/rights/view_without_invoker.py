"""View over a table with row-level security without security_invoker.

A view reads with its owner's privileges: a role that may read the view sees the rows visible to the owner,
which is every row if the policies do not apply to the owner. WITH (security_invoker = true) reads with the
privileges of the querying role.

Given:
    create table coach.notes (id bigint primary key, user_id uuid not null);
    alter table coach.notes enable row level security;
    create policy notes_select on coach.notes for select to authenticated
        using (user_id = (select auth.uid()));
    grant select on coach.notes to authenticated;

Bad:
    create view coach.my_notes as select id from coach.notes;
    grant select on coach.my_notes to authenticated;

Good:
    create view coach.my_notes with (security_invoker = true) as select id from coach.notes;
    grant select on coach.my_notes to authenticated;

Source: PostgreSQL documentation, CREATE VIEW (security_invoker, from version 15); Row Security Policies.
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.lint.chain import Chain
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import shown


@rule("GRANT07", "view-without-invoker", since="0.1", on=Chain, level="error")
def check(chain: Chain) -> Iterator[RuleMatch]:
    for view in chain.relations.values():
        if view.kind not in ("view", "materialized view") or view.security_invoker or view.spot is None:
            continue
        guarded = sorted(shown(name) for name in _below(chain, view.name) if chain.relation(name).rls)
        roles = sorted({grant.role for grant in chain.readers(view)})
        if guarded and roles:
            yield RuleMatch(
                view.spot,
                f"{shown(view.name)} gives {', '.join(roles)} access to the rows of "
                f"{', '.join(guarded)} that its owner can read, bypassing the policies.",
                "Create it WITH (security_invoker = true)."
                if view.kind == "view"
                else "Revoke the grant and provide a function that filters, or a view over it that does.",
            )


def _below(chain: Chain, view: str) -> set[str]:
    """Return the relations a view reads, directly or through other views."""
    reached: set[str] = set()
    pending = set(chain.relation(view).sources)
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending |= chain.relation(name).sources
    return reached
