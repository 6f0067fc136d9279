"""A PostgreSQL server somebody can talk to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from aigym_db.database.servers.binaries import Binaries

SUPERUSER = "postgres"


@dataclass(frozen=True)
class Server:
    """A running server: what it is and how to reach it."""

    programs: Binaries
    """The programs of the same version: `server.programs.program("pg_dump")`."""
    folder: Path
    """Where its data lies."""
    socket_folder: Path
    port: int

    @property
    def name(self) -> str:
        return self.programs.name

    @property
    def major(self) -> int:
        return self.programs.major

    def dsn(self, database: str = SUPERUSER, user: str | None = None) -> str:
        """A URL any libpq client takes; it holds no secret, because the socket lies in a private folder."""
        where = {"host": str(self.socket_folder), "port": str(self.port)}
        if os.environ.get("PGHOSTADDR") or os.environ.get("PGSERVICE"):
            # An address from the environment would win over the socket, and lead to somebody else's server.
            where["hostaddr"] = ""
        user = quote(user or SUPERUSER, safe="")
        return (
            f"postgresql://{user}@/{quote(database, safe='')}?{urlencode(where, safe='/', quote_via=quote)}"
        )
