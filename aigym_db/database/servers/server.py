"""A running PostgreSQL server and its DSN."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from aigym_db.database.servers.binaries import Binaries

SUPERUSER = "postgres"


@dataclass(frozen=True)
class Server:
    """A running server: its programs, data folder and address."""

    programs: Binaries
    """The programs of the same version: `server.programs.program("pg_dump")`."""
    folder: Path
    """The data folder."""
    socket_folder: Path
    port: int

    @property
    def name(self) -> str:
        """The name of its programs, e.g. `embedded:18`."""
        return self.programs.name

    @property
    def major(self) -> int:
        """The major version of PostgreSQL."""
        return self.programs.major

    def dsn(self, database: str = SUPERUSER, user: str | None = None) -> str:
        """Return a libpq URL. It contains no password, because the socket is in a private folder."""
        where = {"host": str(self.socket_folder), "port": str(self.port)}
        if os.environ.get("PGHOSTADDR") or os.environ.get("PGSERVICE"):
            # An address from the environment would override the socket and select another server.
            where["hostaddr"] = ""
        user = quote(user or SUPERUSER, safe="")
        return (
            f"postgresql://{user}@/{quote(database, safe='')}?{urlencode(where, safe='/', quote_via=quote)}"
        )
