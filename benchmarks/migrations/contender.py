"""A migration tool: the format of its files, and its commands."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from psycopg.conninfo import conninfo_to_dict

from benchmarks.migrations.chain import Chain
from benchmarks.process import Command


class Contender(ABC):
    """A migration tool with the files of one chain in a folder."""

    name: ClassVar[str]
    most_migrations: ClassVar[int | None] = None
    """Maximum length of its chain, for tools that are too slow for all of it."""
    most_rounds: ClassVar[int | None] = None

    def __init__(self, folder: Path, chain: Chain) -> None:
        self.folder = folder / type(self).__name__.lower()
        self.folder.mkdir()
        limit = type(self).most_migrations
        self.chain = chain if limit is None else chain.first(limit)
        self.write()

    @abstractmethod
    def write(self) -> None:
        """Write the chain in the format of the tool."""

    @abstractmethod
    def up(self, dsn: str) -> Command:
        """Return the command that applies all migrations."""

    def again(self, dsn: str) -> Command:
        """Return the command for a database with nothing to apply."""
        return self.up(dsn)

    def rollback(self, dsn: str, count: int) -> tuple[Command, ...]:
        """Return the commands that roll back the newest `count`; empty if the tool cannot."""
        return ()


def socket_url(dsn: str) -> str:
    """Return a DSN as a URL whose `host` is the folder of the socket."""
    parameters = conninfo_to_dict(dsn)
    return f"postgresql://{parameters['user']}@/{parameters['dbname']}?host={parameters['host']}&port={parameters['port']}"


def libpq_environment(dsn: str) -> dict[str, str]:
    """Return a DSN as environment variables of libpq."""
    parameters = conninfo_to_dict(dsn)
    words = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGDATABASE": "dbname"}
    return {variable: str(parameters[word]) for variable, word in words.items()}
