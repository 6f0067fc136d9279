"""Privilege granted to PUBLIC.

PUBLIC is every role, those made next year too.

Given:
    create table coach.levels (id bigint primary key);
    alter table coach.levels enable row level security;
    create policy levels_select on coach.levels for select to authenticated using (true);

Bad:
    grant select on coach.levels to public;

Good:
    grant select on coach.levels to authenticated;

Source: PostgreSQL documentation, GRANT.
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.lint.chain import Chain, Grant
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import shown
from aigym_db.syntax.tree import PUBLIC


@rule("GRANT02", "grant-to-public", since="0.1", on=Chain)
def check(chain: Chain) -> Iterator[RuleMatch]:
    held: dict[int, list[Grant]] = {}
    for grants in chain.grants.values():
        for grant in grants.values():
            kind = grant.object.partition(" ")[0]
            if grant.role == PUBLIC and (kind in ("table", "sequence") or grant.privilege == "create"):
                held.setdefault(id(grant.spot.statement), []).append(grant)
    for grants_of_one in held.values():
        names = sorted({shown(grant.object.partition(" ")[2]) for grant in grants_of_one})
        privileges = sorted({grant.privilege.upper() for grant in grants_of_one})
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield RuleMatch(
            grants_of_one[0].spot,
            f"Every role, present and future, holds {', '.join(privileges)} on {names[0]}{more}.",
            "Grant it to the roles that need it.",
        )
