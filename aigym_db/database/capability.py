"""What a server can do and what we may do on it, asked before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from aigym_db.database.failure import explain_error
from aigym_db.database.queries import query


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One server as one role sees it."""

    version: int
    """As `server_version_num` has it: 180004 is 18.4."""
    role: str
    """Whom the session acts as."""
    superuser: bool
    bypasses_row_security: bool
    may_create_roles: bool
    may_create_databases: bool
    standby: bool
    read_only: bool
    """New transactions of this session may only read; a standby's never do anything else."""
    icu: bool
    extensions_available: frozenset[str]
    extensions_installed: frozenset[str]

    @property
    def major(self) -> int:
        return self.version // 10_000

    @property
    def minor(self) -> int:
        return self.version % 10_000

    @property
    def sees_every_row(self) -> bool:
        """Whether no policy ever applies to this role."""
        return self.superuser or self.bypasses_row_security

    def lacks(self, extensions: frozenset[str]) -> frozenset[str]:
        """The extensions among these that cannot be created here."""
        return extensions - self.extensions_available


def probe(connection: psycopg.Connection[Any]) -> Capabilities:
    """What this connection's server and role can do, in one query.

    Raises a ServerError when the query fails.
    """
    try:
        with connection.cursor(row_factory=dict_row) as cursor:
            found = cursor.execute(query("connect/capabilities").encode()).fetchone()
    except psycopg.Error as error:
        raise explain_error(error) from error
    assert found is not None
    for name in ("extensions_available", "extensions_installed"):
        found[name] = frozenset(found[name])
    return Capabilities(**found)
