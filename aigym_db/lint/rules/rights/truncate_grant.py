"""TRUNCATE, REFERENCES or TRIGGER granted to an application role.

TRUNCATE empties a table regardless of its policies. REFERENCES reveals through a foreign key which rows
exist. TRIGGER runs code with the privileges of the role that writes next. GRANT ALL includes all three.

Given:
    create table coach.notes (id bigint primary key);
    alter table coach.notes enable row level security;
    create policy notes_select on coach.notes for select to authenticated using (true);

Bad:
    grant all on coach.notes to authenticated;

Good:
    grant select, insert, update, delete on coach.notes to authenticated;

Source: PostgreSQL documentation, Row Security Policies; GRANT.
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.lint.chain import Chain, Grant
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import shown

_UNRESTRICTED = ("truncate", "references", "trigger", "maintain")


@rule("GRANT01", "truncate-grant", since="0.1", on=Chain)
def check(chain: Chain) -> Iterator[RuleMatch]:
    by_statement: dict[tuple[int, str], list[Grant]] = {}
    for table in chain.relations.values():
        if table.kind not in ("table", "partitioned"):
            continue
        for grant in chain.grants_on("table", table.name):
            if (
                grant.privilege in _UNRESTRICTED
                and grant.role != table.owner
                and grant.role not in chain.bypassing
            ):
                by_statement.setdefault((id(grant.spot.statement), grant.role), []).append(grant)
    for (_, role), grants in by_statement.items():
        tables = sorted({shown(grant.object.removeprefix("table ")) for grant in grants})
        privileges = [
            name.upper() for name in _UNRESTRICTED if any(grant.privilege == name for grant in grants)
        ]
        more = f" and {len(tables) - 1} more tables" if len(tables) > 1 else ""
        yield RuleMatch(
            grants[0].spot,
            f"{role} has {', '.join(privileges)} on {tables[0]}{more}, which policies do not restrict.",
            "Grant only the privileges needed of select, insert, update and delete.",
        )
