"""Tenant schemas of one database: each runs the same migrations, and the ledger keeps them apart."""

from __future__ import annotations

import re
from typing import Any

from psycopg import Connection

from aigym_db.database.queries import query
from aigym_db.errors import UnknownTenant


def require_tenant(connection: Connection[Any], schema: str) -> None:
    """Nothing, when there is such a schema; PostgreSQL would leave it out of the search_path in silence.

    Raises UnknownTenant (AIG-P017).
    """
    if not connection.execute(query("migrate/tenant"), {"schema": schema}).fetchall():
        raise UnknownTenant(
            f"The database {connection.info.dbname} has no schema {schema}.",
            hint="Create it as the role that is to own the tenant's objects, or correct its name.",
        )


def tenants(connection: Connection[Any], pattern: str) -> tuple[str, ...]:
    """The schemas whose name a pattern fits, sorted; `*` stands for any characters, `?` for one.

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
