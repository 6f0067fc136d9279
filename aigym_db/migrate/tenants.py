"""Tenant schemas of one database: each runs the same migrations, and the ledger keeps them apart."""

from __future__ import annotations

import re
from typing import Any

from psycopg import Connection

from aigym_db.database.queries import query
from aigym_db.errors import UnknownTenant

LOGIN_SCHEMA = "$user"
"""What a search_path says for the schema that is called as the role that connects, quoted or not."""


def require_tenant(connection: Connection[Any], schema: str) -> None:
    """Nothing, when there is such a schema that a search_path can name; PostgreSQL would leave it out in
    silence.

    Raises UnknownTenant (AIG-P017).
    """
    if schema == LOGIN_SCHEMA:
        raise UnknownTenant(
            f"In a search_path {schema} is the schema of the role that connects, so it can be no tenant's.",
            hint=f'Rename it: `alter schema "{schema}" rename to …`.',
        )
    if not connection.execute(query("migrate/tenant"), {"schema": schema}).fetchall():
        raise UnknownTenant(
            f"The database {connection.info.dbname} has no schema {schema}.",
            hint="Create it as the role that is to own the tenant's objects, or correct its name.",
        )


def tenants(connection: Connection[Any], pattern: str) -> tuple[str, ...]:
    """The schemas whose name a pattern fits, sorted; `*` stands for any characters, `?` for one.

    Never `public`, where the database's own migrations work, nor the schemas of PostgreSQL and the ledger.
    Raises UnknownTenant (AIG-P017) when there is none: a misspelt pattern would silently do nothing.
    """
    shape = re.compile("".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern))
    names = [row[0] for row in connection.execute(query("migrate/schemas")).fetchall()]
    found = tuple(sorted(name for name in names if shape.fullmatch(name)))
    if not found:
        raise UnknownTenant(
            f"The database {connection.info.dbname} has no schema like {pattern}.",
            hint="Correct the pattern, or create the first tenant's schema.",
        )
    return found
