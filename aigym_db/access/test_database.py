"""The test database: the schema of the project with the rows of `seeds/test`, on a temporary server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psycopg

from aigym_db.access.row_digests import CREATE_LOADS, RECORD_LOAD
from aigym_db.database.connect import SessionSettings, connect
from aigym_db.database.failure import explain_error
from aigym_db.database.migration_session import Connection, open_session
from aigym_db.database.replay import replay
from aigym_db.database.servers.databases import clone, drop_database
from aigym_db.database.servers.server import TEMPLATE, Server
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.errors import BadSeed
from aigym_db.model.access import Actor
from aigym_db.model.migration import Part
from aigym_db.model.source import Source
from aigym_db.project.config import Project
from aigym_db.project.migrations import migrations
from aigym_db.project.state import state
from aigym_db.project.text import normalised
from aigym_db.version import __version__

REFERENCE, FIXTURE = "seeds/reference", "seeds/test"
FILLED = "aigym_fixture"
"""The database with the fixture, the template of the clones."""
_SESSION = SessionSettings(lock_timeout_ms=0, idle_in_transaction_timeout_ms=0)


@dataclass(frozen=True, slots=True)
class TestDatabase:
    """A server with a template of the project's database, including the fixture."""

    server: Server

    @contextmanager
    def database(self) -> Iterator[str]:
        """Create a clone and return its DSN; drop the clone after the block."""
        database = clone(self.server, FILLED)
        try:
            yield database.dsn
        finally:
            drop_database(self.server, database.name)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Create a clone and connect to it as superuser; drop the clone after the block."""
        with self.database() as dsn, connect(dsn, session=_SESSION, autocommit=True) as opened:
            yield opened


@contextmanager
def connect_as(dsn: str, actor: Actor) -> Iterator[Connection]:
    """Connect with role, claims and settings of the actor, in autocommit mode; `dsn` is of a superuser."""
    with connect(dsn, session=_SESSION, autocommit=True) as opened:
        settings = {
            "row_security": "on",
            "request.jwt.claims": actor.claims_text,
            **actor.settings,
            "role": actor.role,
        }
        for name, value in settings.items():
            opened.execute("select set_config(%s, %s, false)", [name, value])
        yield opened


@contextmanager
def open_test_database(project: Project, server: str | None = None) -> Iterator[TestDatabase]:
    """Create the test database and return it; it is removed after the block.

    What rarely changes is a template that is reused: the schema without the files of `policies/`. Policies,
    reference rows and the fixture are added each time.

    The schema is built from `schema/` and `policies/`; `verify` compares them with the migrations. Without
    templates it is built from the migrations; all but the last are the template. Raise StatementFailed
    (AIG-S002) if PostgreSQL rejects a statement of the schema, BadSeed (AIG-P014) if it rejects a row.
    """
    session = project.session
    base, others = _parts(project)
    reference, fixture = _rows(project, REFERENCE), _rows(project, FIXTURE)
    # The contents of the template depend on the date, because the first partition is that of the current day.
    key = _digest(base, repr(session), date.today().isoformat())

    def add(connection: Connection, parts: tuple[Part, ...]) -> None:
        replay(connection, parts, owner=session.owner, first=RECORD_LOAD)

    def build(dsn: str) -> None:
        with open_session(dsn, session) as connection:
            connection.execute(CREATE_LOADS)
            add(connection, base)

    with throwaway(server or project.server, template_key=key, build=build) as running:
        with open_session(clone(running, TEMPLATE, FILLED).dsn, session) as connection:
            add(connection, others)
            _fill(connection, reference + fixture)
            connection.execute("analyze")
        yield TestDatabase(running)


def _parts(project: Project) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Return the parts of the schema that rarely change, and those to execute after them."""
    if not project.has_state:
        parts = tuple(migration.up for migration in migrations(project))
        return parts[:-1], parts[-1:]
    parts = state(project)
    policies = [index for index, part in enumerate(parts) if part.source.file.startswith("policies/")]
    count = policies[0] if policies else len(parts)
    return parts[:count], parts[count:]


def _rows(project: Project, folder: str) -> tuple[Source, ...]:
    paths = sorted((project.root / Path(folder)).glob("*.sql"))
    return tuple(normalised(path.read_bytes(), project.show(path)) for path in paths)


def _fill(connection: Connection, sources: tuple[Source, ...]) -> None:
    """Execute each file as one transaction."""
    for source in sources:
        try:
            with connection.transaction():
                connection.execute(RECORD_LOAD)
                connection.execute(source.text.encode())
        except psycopg.Error as error:
            explained = explain_error(error)
            position = error.diag.statement_position
            raise BadSeed(
                f"{source.file} cannot be loaded: {explained.message}",
                place=source.place(int(position) - 1) if position else None,
                detail=explained.detail,
                hint="Correct the row; the fixture must satisfy every constraint.",
            ) from error


def _digest(parts: tuple[Part, ...], *others: str) -> str:
    """Return a digest of everything that the template depends on."""
    digest = hashlib.sha256()
    for text in (__version__, *others, *(part.text for part in parts)):
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()
