"""What every command shares: where the project is, which database is meant, how to report."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import click

from aigym_db.project.config import Project, find
from aigym_db.report.result import Report


@dataclass
class App:
    """One run of the command line."""

    directory: Path
    database: str | None
    server: str | None
    report: Report = field(default_factory=Report)

    @cached_property
    def project(self) -> Project:
        """The project of the folder given with -C; raises NoProject (AIG-P001)."""
        return find(self.directory)

    @property
    def provider(self) -> str:
        """The server that throwaway databases run on."""
        return self.server or self.project.server

    @cached_property
    def is_local(self) -> bool:
        """Whether the project's own development server is meant, because nothing else was named."""
        named = ("DATABASE_URL", "PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE", "PGPORT")
        return self.database is None and not any(os.environ.get(name) for name in named)

    def dsn(self, *, start: bool = False) -> str:
        """The database that is meant: --database, DATABASE_URL, PG*, or the project's own local one.

        `start` starts the local server when it is not running.
        """
        if self.is_local:
            from aigym_db.cli.local import local_dsn

            return local_dsn(self.project, self.server, start=start)
        from aigym_db.database.connect import resolve

        return resolve(self.database)


pass_app = click.make_pass_decorator(App)
