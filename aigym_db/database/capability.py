"""The features of a server and the rights of the session, queried before a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from aigym_db.database.failure import explain_error
from aigym_db.database.queries import query


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Features of a server and rights of one role."""

    version: int
    """The value of `server_version_num`: 180004 is 18.4."""
    role: str
    """The current role of the session."""
    superuser: bool
    bypasses_row_security: bool
    may_create_roles: bool
    may_create_databases: bool
    standby: bool
    read_only: bool
    """True if new transactions of this session are read-only; always True on a standby."""
    icu: bool
    extensions_available: frozenset[str]
    extensions_installed: frozenset[str]

    @property
    def major(self) -> int:
        """The major version of the server, e.g. 18."""
        return self.version // 10_000

    @property
    def minor(self) -> int:
        """The minor version of the server."""
        return self.version % 10_000

    @property
    def sees_every_row(self) -> bool:
        """True if row-level security never applies to this role."""
        return self.superuser or self.bypasses_row_security

    def lacks(self, extensions: frozenset[str]) -> frozenset[str]:
        """Return those of the extensions that are not available on this server."""
        return extensions - self.extensions_available


def probe(connection: psycopg.Connection[Any]) -> Capabilities:
    """Return the capabilities of the connection's server and role, using one query.

    Raise a ServerError if the query fails.
    """
    try:
        with connection.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(query("connect/capabilities").encode()).fetchone()
    except psycopg.Error as error:
        raise explain_error(error) from error
    assert row is not None
    for name in ("extensions_available", "extensions_installed"):
        row[name] = frozenset(row[name])
    return Capabilities(**row)
