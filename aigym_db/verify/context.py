"""What the checks of one run share: files, catalogs, and the database they look at."""

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
from aigym_db.database.servers import TEMPLATE, Throwaway, throwaway
from aigym_db.model.catalog import Catalog
from aigym_db.model.migration import Migration, Part
from aigym_db.model.sql import Script
from aigym_db.project.config import Project
from aigym_db.project.domains import domains
from aigym_db.project.migrations import migrations
from aigym_db.project.order import ordered
from aigym_db.project.state import parts


class VerifyContext:
    """Everything is made when the first check asks for it, and gone after the `with` block."""

    def __init__(self, project: Project, dsn: str | None = None) -> None:
        self.project = project
        self.dsn = dsn
        """The database somebody uses; None when there is none to look at."""
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
        """Every template, in the order they can be created; none when the project holds migrations alone."""
        return ordered(self.project) if self.project.has_state else ()

    @cached_property
    def ups(self) -> tuple[Part, ...]:
        return tuple(migration.up for migration in self.migrations)

    @cached_property
    def state(self) -> Catalog:
        """What the templates make of an empty database."""
        with throwaway(self.project.server) as server:
            return built(
                server,
                parts(self.scripts),
                self.project.session,
                partition_schema=self.project.partition_schema,
            )

    @cached_property
    def history(self) -> Catalog:
        """What the migrations make of an empty database."""
        with connect(self.history_server.dsn(TEMPLATE), autocommit=True) as connection:
            return self.look(connection, all_roles=True)

    @cached_property
    def history_server(self) -> Throwaway:
        """A server of its own, whose database `template` holds what all migrations make."""
        return self._open.enter_context(replayed(self.project.server, self.ups, self.project.session))

    @cached_property
    def database(self) -> Connection:
        """The database somebody uses, or else one that the migrations have made; only to read."""
        dsn = self.dsn or self.history_server.dsn(TEMPLATE)
        return self._open.enter_context(connect(dsn, autocommit=True))

    @property
    def ignored(self) -> tuple[str, ...]:
        """Schemas that are somebody else's."""
        return ("aigym_db", *(domain.name for domain in domains(self.project) if domain.external))

    def look(self, connection: Connection, *, all_roles: bool = False) -> Catalog:
        """What a database holds, as this project looks at it."""
        return snapshot(connection, partition_schema=self.project.partition_schema, all_roles=all_roles)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query says about the database."""
        import psycopg

        try:
            return self.database.execute(sql.encode(), {"ignored": list(self.ignored)}).fetchall()
        except psycopg.Error as error:
            raise explain_error(error) from error
