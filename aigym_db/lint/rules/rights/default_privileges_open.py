"""Default privileges that grant access to future tables to PUBLIC or anon.

Every table created later is accessible at once, before its policies have been written.

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

_OPEN_ROLES = {"public", "anon"}


@rule("GRANT03", "default-privileges-open", since="0.1", on=Chain)
def check(chain: Chain) -> Iterator[RuleMatch]:
    reported: set[tuple[int, str]] = set()
    for (schema, kind, role, privilege), grant in chain.defaults.items():
        key = (id(grant.spot.statement), role)
        if kind != "table" or role not in _OPEN_ROLES or privilege not in DATA_PRIVILEGES or key in reported:
            continue
        reported.add(key)
        where = f"in schema {schema}" if schema else "in any schema"
        yield RuleMatch(
            grant.spot,
            f"Every table created {where} from now on is accessible to {role}.",
            "Grant privileges on each table, next to its policies.",
        )
