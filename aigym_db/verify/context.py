"""What the checks of one run share: files, catalogs, and the database they examine."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from types import TracebackType
from typing import Any

from aigym_db.database.catalog import snapshot
from aigym_db.database.connect import connect
from aigym_db.database.failure import explain_error
from aigym_db.database.migration_session import Connection
from aigym_db.database.replay import built, replayed
from aigym_db.database.servers.server import TEMPLATE, Throwaway
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.model.catalog import Catalog
from aigym_db.model.migration import Migration, Part
from aigym_db.model.session import MigrationSession
from aigym_db.model.sql import Script
from aigym_db.project.config import Project
from aigym_db.project.domains import domains
from aigym_db.project.migrations import migrations
from aigym_db.project.order import ordered
from aigym_db.project.state import parts


class VerifyContext:
    """Files, catalogs and servers, created on first use and released at the end of the `with` block."""

    def __init__(self, project: Project, dsn: str | None = None) -> None:
        self.project = project
        self.dsn = dsn
        """The database to examine; None if none is specified."""
        self._open = ExitStack()

    def __enter__(self) -> VerifyContext:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @cached_property
    def migrations(self) -> tuple[Migration, ...]:
        """Every migration, oldest first."""
        return migrations(self.project)

    @cached_property
    def scripts(self) -> tuple[Script, ...]:
        """Every template in order of creation; none if the project has only migrations."""
        return ordered(self.project) if self.project.has_state else ()

    @cached_property
    def ups(self) -> tuple[Part, ...]:
        """The up part of every migration, oldest first."""
        return tuple(migration.up for migration in self.migrations)

    @cached_property
    def session(self) -> MigrationSession:
        """The session of replays on temporary servers."""
        return self.project.session

    @cached_property
    def state(self) -> Catalog:
        """The catalog after executing the templates on an empty database."""
        with throwaway(self.project.server) as server:
            return built(
                server,
                parts(self.scripts),
                self.session,
                partition_schema=self.project.partition_schema,
            )

    @cached_property
    def history(self) -> Catalog:
        """The catalog after executing the migrations on an empty database."""
        with connect(self.history_server.dsn(TEMPLATE), autocommit=True) as connection:
            return self.catalog_of(connection, all_roles=True)

    @cached_property
    def history_server(self) -> Throwaway:
        """A server whose database `template` contains the result of all migrations."""
        return self._open.enter_context(replayed(self.project.server, self.ups, self.session))

    @cached_property
    def database(self) -> Connection:
        """A connection for reading the specified database, or else the result of the migrations."""
        dsn = self.dsn or self.history_server.dsn(TEMPLATE)
        return self._open.enter_context(connect(dsn, autocommit=True))

    @property
    def ignored(self) -> tuple[str, ...]:
        """Names of the schemas that checks leave out: `aigym_db` and the external domains."""
        return ("aigym_db", *(domain.name for domain in domains(self.project) if domain.external))

    def catalog_of(self, connection: Connection, *, all_roles: bool = False) -> Catalog:
        """Return a snapshot of the catalog of a connection's database.

        It contains the roles that the database uses, with `all_roles` every role of the server. Partitions in
        the project's partition schema are left out.
        """
        return snapshot(connection, partition_schema=self.project.partition_schema, all_roles=all_roles)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Execute a check's query on `database` and return its rows; raise ServerError if it fails."""
        import psycopg

        try:
            return self.database.execute(sql.encode(), {"ignored": list(self.ignored)}).fetchall()
        except psycopg.Error as error:
            raise explain_error(error) from error
