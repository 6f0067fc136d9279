"""Default privileges that open every future table to everybody.

Each table created from then on is granted before anybody has thought about its policies.

Bad:
    alter default privileges in schema coach grant select on tables to anon;

Good:
    alter default privileges revoke execute on functions from public;

Source: PostgreSQL documentation, ALTER DEFAULT PRIVILEGES.
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.lint.chain import DATA_PRIVILEGES, Chain
from aigym_db.lint.rule import RuleMatch, rule

_EVERYBODY = {"public", "anon"}


@rule("GRANT03", "default-privileges-open", since="0.1", on=Chain)
def check(chain: Chain) -> Iterator[RuleMatch]:
    said: set[tuple[int, str]] = set()
    for (schema, kind, role, privilege), grant in chain.defaults.items():
        key = (id(grant.spot.statement), role)
        if kind != "table" or role not in _EVERYBODY or privilege not in DATA_PRIVILEGES or key in said:
            continue
        said.add(key)
        where = f"in schema {schema}" if schema else "anywhere"
        yield RuleMatch(
            grant.spot,
            f"Every table created {where} from now on is open to {role} at once.",
            "Grant table by table, beside the policies.",
        )
