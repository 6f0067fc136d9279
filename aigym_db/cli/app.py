"""The context of a command: project, database, report."""

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
    """One invocation of the command line."""

    directory: Path
    database: str | None
    server: str | None
    report: Report = field(default_factory=Report)
    variables: Mapping[str, str] = field(default_factory=dict)
    """libpq's variables, `PG*`, removed from the environment: see `taken_variables`."""
    only_local: bool = False
    """True if DATABASE_URL and `PG*` are ignored."""

    @cached_property
    def project(self) -> Project:
        """The project of the folder -C, with the server of --server. Raise NoProject (AIG-P001)."""
        project = find(self.directory)
        return replace(project, server=self.server) if self.server else project

    @cached_property
    def is_local(self) -> bool:
        """True if no database is specified, so that the project's local server is used."""
        named = ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE", "PGPORT")
        return self.only_local or (
            self.database is None
            and not os.environ.get("DATABASE_URL")
            and not any(self.variables.get(name) for name in named)
        )

    def dsn(self, *, start: bool = False) -> str:
        """Return the connection string of --database, DATABASE_URL, PG*, or the project's local database.

        `start` starts the local server if it is not running.
        """
        if self.is_local:
            from aigym_db.cli.local import local_dsn

            return local_dsn(self.project, self.server, start=start)
        return self.completed(self.database)

    def completed(self, dsn: str | None) -> str:
        """Return a connection string completed with the values of `PG*`."""
        from aigym_db.database.dsn import completed, resolve

        if not self.variables:
            return resolve(dsn)
        os.environ.update(self.variables)
        try:
            return completed(resolve(dsn))
        finally:
            _remove(self.variables)

    def accepts_drafts(self, dsn: str) -> bool:
        """True if `dsn` is a database of the project's local server; drafts are applied there only."""
        if self.is_local:
            return True
        from aigym_db.cli.local import is_own

        return is_own(self.project, dsn)

    @property
    def can_confirm(self) -> bool:
        """True if stdin and stderr are a terminal, so that a confirmation prompt is possible."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def reject_database(self, instead: str) -> None:
        """Raise BadCommandLine (AIG-P013) if --database is given to a command that does not use it."""
        if self.database is not None:
            raise BadCommandLine(
                f"`--database` cannot be used with this command, which uses {instead}.",
                hint="Omit `--database`.",
            )


_SERVICE_VARIABLES = ("PGSERVICEFILE", "PGSYSCONFDIR")
"""Locations of service files; libpq reads them while connecting."""

pass_app = click.make_pass_decorator(App)


@contextmanager
def taken_variables() -> Iterator[Mapping[str, str]]:
    """Remove libpq's variables from the environment during the block, and return them.

    They specify the database of the command only. Otherwise they would affect every connection, also those to
    temporary servers: PGHOSTADDR would redirect them.
    """
    variables = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("PG") and "_" not in name and name not in _SERVICE_VARIABLES
    }
    _remove(variables)
    try:
        yield variables
    finally:
        os.environ.update(variables)


def _remove(variables: Mapping[str, str]) -> None:
    for name in variables:
        os.environ.pop(name, None)
