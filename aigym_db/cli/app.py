"""What every command shares: where the project is, which database is meant, how to report."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import click

from aigym_db.errors import BadCommandLine
from aigym_db.project.config import Project, find
from aigym_db.report.result import Report


@dataclass
class App:
    """One run of the command line."""

    directory: Path
    database: str | None
    server: str | None
    report: Report = field(default_factory=Report)
    variables: Mapping[str, str] = field(default_factory=dict)
    """libpq's variables, `PG*`, taken out of the environment: see `taken_variables`."""

    @cached_property
    def project(self) -> Project:
        """The project of the folder given with -C, on the server of --server; raises NoProject (AIG-P001)."""
        found = find(self.directory)
        return replace(found, server=self.server) if self.server else found

    @cached_property
    def is_local(self) -> bool:
        """Whether the project's own development server is meant, because nothing else was named."""
        named = ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE", "PGPORT")
        return (
            self.database is None
            and not os.environ.get("DATABASE_URL")
            and not any(self.variables.get(name) for name in named)
        )

    def dsn(self, *, start: bool = False) -> str:
        """The database that is meant: --database, DATABASE_URL, PG*, or the project's own local one.

        `start` starts the local server when it is not running.
        """
        if self.is_local:
            from aigym_db.cli.local import local_dsn

            return local_dsn(self.project, self.server, start=start)
        return self.settled(self.database)

    def settled(self, dsn: str | None) -> str:
        """A connection string with what it leaves open written out, as `PG*` says it."""
        from aigym_db.database.dsn import resolve, settled

        if not self.variables:
            return resolve(dsn)
        os.environ.update(self.variables)
        try:
            return settled(resolve(dsn))
        finally:
            _take(self.variables)

    def takes_drafts(self, dsn: str) -> bool:
        """Whether `dsn` leads to the project's own local server, however named: drafts run there only."""
        if self.is_local:
            return True
        from aigym_db.cli.local import is_own

        return is_own(self.project, dsn)

    @property
    def can_ask(self) -> bool:
        """Whether somebody is there to answer a question."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def refuse_database(self, instead: str) -> None:
        """Nothing, unless --database was given to a command that has no use for it."""
        if self.database is not None:
            raise BadCommandLine(
                f"`--database` does not go with this command: it works on {instead}.",
                hint="Leave `--database` out.",
            )


_WHERE_SERVICES_ARE = ("PGSERVICEFILE", "PGSYSCONFDIR")
"""These lead nowhere by themselves, and a service is looked up while connecting."""

pass_app = click.make_pass_decorator(App)


@contextmanager
def taken_variables() -> Iterator[Mapping[str, str]]:
    """libpq's variables, which the environment does not hold during the block.

    They say which database is meant, and that is all they may do: every connection would obey them, also
    those to our own servers, which PGHOSTADDR would lead elsewhere.
    """
    found = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("PG") and "_" not in name and name not in _WHERE_SERVICES_ARE
    }
    _take(found)
    try:
        yield found
    finally:
        os.environ.update(found)


def _take(variables: Mapping[str, str]) -> None:
    for name in variables:
        os.environ.pop(name, None)
