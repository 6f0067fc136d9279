"""Tenant schemas of one database: each has its own applied migrations in the ledger."""

from __future__ import annotations

import re
from typing import Any

from psycopg import Connection

from aigym_db.database.queries import query
from aigym_db.errors import UnknownTenant

LOGIN_SCHEMA = "$user"
"""In a search_path, quoted or not, this name stands for the schema named like the current role."""


def require_tenant(connection: Connection[Any], schema: str) -> None:
    """Raise UnknownTenant (AIG-P017) if the schema does not exist or cannot be named in a search_path.

    PostgreSQL ignores a missing schema in the search_path without an error.
    """
    if schema == LOGIN_SCHEMA:
        raise UnknownTenant(
            f"In a search_path {schema} stands for the schema of the current role, so it cannot be a tenant.",
            hint=f'Rename it: `alter schema "{schema}" rename to …`.',
        )
    if not connection.execute(query("migrate/tenant"), {"schema": schema}).fetchall():
        raise UnknownTenant(
            f"The database {connection.info.dbname} has no schema {schema}.",
            hint="Create it as the role that is to own the tenant's objects, or correct its name.",
        )


def tenants(connection: Connection[Any], pattern: str) -> tuple[str, ...]:
    """Return the schemas whose name matches a pattern, sorted; `*` matches any characters, `?` one.

    `public`, the system schemas and the ledger's schema never match.
    Raise UnknownTenant (AIG-P017) if no schema matches, which is what a misspelt pattern does.
    """
    regex = re.compile("".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern))
    names = [row[0] for row in connection.execute(query("migrate/schemas")).fetchall()]
    matches = tuple(sorted(name for name in names if regex.fullmatch(name)))
    if not matches:
        raise UnknownTenant(
            f"The database {connection.info.dbname} has no schema like {pattern}.",
            hint="Correct the pattern, or create the first tenant's schema.",
        )
    return matches
