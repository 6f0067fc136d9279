"""Somebody who migrates: how it wants its files, and the commands that run them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from psycopg.conninfo import conninfo_to_dict

from benchmarks.migrations.chain import Chain
from benchmarks.process import Command


class Contender(ABC):
    """One way to migrate, with the files of one chain in a folder of its own."""

    name: ClassVar[str]
    most_migrations: ClassVar[int | None] = None
    """Of a longer chain it gets only the beginning, because it is too slow for all of it."""
    most_rounds: ClassVar[int | None] = None

    def __init__(self, folder: Path, chain: Chain) -> None:
        self.folder = folder / type(self).__name__.lower()
        self.folder.mkdir()
        most = type(self).most_migrations
        self.chain = chain if most is None else chain.first(most)
        self.write()

    @abstractmethod
    def write(self) -> None:
        """Writes the chain in the form it is used to."""

    @abstractmethod
    def up(self, dsn: str) -> Command:
        """The command that brings a database up to date."""

    def again(self, dsn: str) -> Command:
        """The command that finds a database up to date."""
        return self.up(dsn)

    def back(self, dsn: str, count: int) -> tuple[Command, ...]:
        """The commands that undo the newest `count`; none when it cannot."""
        return ()


def socket_url(dsn: str) -> str:
    """The DSN of a server of ours as a URL whose `host` is the folder of its socket."""
    known = conninfo_to_dict(dsn)
    return f"postgresql://{known['user']}@/{known['dbname']}?host={known['host']}&port={known['port']}"


def libpq_environment(dsn: str) -> dict[str, str]:
    """The DSN as the variables that libpq reads."""
    known = conninfo_to_dict(dsn)
    words = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGDATABASE": "dbname"}
    return {variable: str(known[word]) for variable, word in words.items()}
