"""The reference database with its reference rows, on a temporary server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aigym_db.access.test_database import REFERENCE
from aigym_db.database.migration_session import open_session
from aigym_db.database.replay import replayed
from aigym_db.database.servers.server import TEMPLATE, Server
from aigym_db.project.config import find
from aigym_db.project.migrations import migrations

ROOT = Path(__file__).parent.parent


@contextmanager
def reference_server() -> Iterator[Server]:
    """Execute the migrations in the template of a temporary server, load the reference rows, return it."""
    project = find(ROOT)
    parts = tuple(migration.up for migration in migrations(project))
    with replayed("embedded", parts, project.session) as server:
        with open_session(server.dsn(TEMPLATE), project.session) as session:
            for path in sorted((ROOT / REFERENCE).glob("*.sql")):
                session.execute(path.read_bytes())
        yield server
