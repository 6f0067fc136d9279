"""Privilege granted to PUBLIC.

PUBLIC includes every role, also those created later.

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
    by_statement: dict[int, list[Grant]] = {}
    for grants in chain.grants.values():
        for grant in grants.values():
            kind = grant.object.partition(" ")[0]
            if grant.role == PUBLIC and (kind in ("table", "sequence") or grant.privilege == "create"):
                by_statement.setdefault(id(grant.spot.statement), []).append(grant)
    for statement_grants in by_statement.values():
        names = sorted({shown(grant.object.partition(" ")[2]) for grant in statement_grants})
        privileges = sorted({grant.privilege.upper() for grant in statement_grants})
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield RuleMatch(
            statement_grants[0].spot,
            f"Every present and future role has {', '.join(privileges)} on {names[0]}{more}.",
            "Grant it only to the roles that need it.",
        )
