"""Running PostgreSQL servers and their DSNs."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from aigym_db.database.servers.binaries import Binaries

SUPERUSER = "postgres"

TEMPLATE = "template"
"""The database of a throwaway server that `build` fills and that `clone` copies."""

Build = Callable[[str], object]
"""Fills the database with the given DSN."""

UNSAFE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""Settings for data that may be lost: they are faster, and a crash of the machine loses the data."""

SETTINGS = {
    **UNSAFE,
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # The data may be in shared memory, and the WAL should not use more of it than the tables.
    "max_wal_size": "256MB",
    "wal_init_zero": "off",
    "wal_recycle": "off",
    "checkpoint_timeout": "1h",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "fatal",
}
"""Settings of every throwaway server."""


class Server(ABC):
    """A running server that the package started."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The server name as users specify it, e.g. `embedded:18` or `container:postgres:17`."""

    @property
    @abstractmethod
    def major(self) -> int:
        """The PostgreSQL major version."""

    @abstractmethod
    def dsn(self, database: str = SUPERUSER, user: str | None = None) -> str:
        """Return a libpq URL; default: as the superuser."""


class Throwaway(Server):
    """A server that is removed with its data when it is stopped or the process that started it ends."""

    @abstractmethod
    def stop(self) -> None:
        """Stop the server and remove its data; a second call has no effect."""


@dataclass(frozen=True)
class InstalledServer(Server):
    """A server that runs installed programs: its data folder and address on this machine."""

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
