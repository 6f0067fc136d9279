"""Privilege granted WITH GRANT OPTION.

The role can grant the privilege to others, and these grants are not part of any migration.

Given:
    create table coach.levels (id bigint primary key);
    alter table coach.levels enable row level security;
    create policy levels_select on coach.levels for select to authenticated using (true);

Bad:
    grant select on coach.levels to authenticated with grant option;

Good:
    grant select on coach.levels to authenticated;

Source: PostgreSQL documentation, GRANT.
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.lint.chain import Chain
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import shown


@rule("GRANT04", "grant-option", since="0.1", on=Chain)
def check(chain: Chain) -> Iterator[RuleMatch]:
    reported: set[tuple[int, str]] = set()
    for grants in chain.grants.values():
        for grant in grants.values():
            key = (id(grant.spot.statement), grant.role)
            if grant.with_option and key not in reported:
                reported.add(key)
                yield RuleMatch(
                    grant.spot,
                    f"{grant.role} may grant its privileges on {shown(grant.object.partition(' ')[2])} "
                    "to any role.",
                    "Remove WITH GRANT OPTION.",
                )
