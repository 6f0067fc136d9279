"""Verdicts of earlier runs: the keys of runs and of rows of the access matrix that matched.

A key is a digest of everything that the result depends on. Only matches are stored, so a cell that differs
is always tested again. The file is `.aigym-db/verdicts.json` of the project; it may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from aigym_db.access.dependencies import Dependencies, Use
from aigym_db.access.matrix import AccessMatrix
from aigym_db.access.row_digests import row_digests
from aigym_db.access.test_database import FIXTURE, REFERENCE
from aigym_db.access.trial import Connection
from aigym_db.database.catalog import snapshot
from aigym_db.database.servers.binaries import find
from aigym_db.database.servers.server import SUPERUSER
from aigym_db.errors import ServerUnfit
from aigym_db.model.access import COMMANDS
from aigym_db.project.config import Project

MatrixRow = tuple[str, str]
"""The cells of one table and actor: `schema.table` and the name of the actor."""

_STORED = 50_000
"""Maximum number of keys of each kind; the oldest are removed."""
_FOLDERS = ("policies", "schema", "migrations", REFERENCE, FIXTURE)
_LIBRARIES = ("jinja2", "pglast", "psycopg")


@dataclass(frozen=True, slots=True)
class CellCounts:
    """Numbers of tables, actors, functions and cells of a run."""

    tables: int
    actors: int
    cells: int
    functions: int
    calls: int


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The stored keys of a project."""

    path: Path
    runs: dict[str, dict[str, int]]
    """The counts of runs without findings, by key."""
    rows: dict[str, None]
    """Keys of rows of the access matrix whose cells matched, the most recent last."""

    def run(self, key: str | None) -> CellCounts | None:
        """Return the counts of a run without findings, or None if no such run is stored."""
        return CellCounts(**self.runs[key]) if key is not None and key in self.runs else None

    def record_run(self, key: str | None, counts: CellCounts) -> None:
        """Store a run without findings."""
        if key is not None:
            self.runs[key] = asdict(counts)

    def record_rows(self, keys: Collection[str | None]) -> None:
        """Store rows of the access matrix whose cells match, or mark them as used."""
        for key in keys:
            if key is not None:
                self.rows.pop(key, None)
                self.rows[key] = None

    def save(self) -> None:
        """Write the file; a project whose folder is not writable has no stored verdicts."""
        content = {
            "runs": dict([*self.runs.items()][-_STORED // 1000 :]),
            "rows": [*self.rows][-_STORED:],
        }
        making = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        with suppress(OSError):
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
            making.write_text(json.dumps(content), encoding="utf-8")
            making.replace(self.path)


def read_verdicts(project: Project) -> Verdicts:
    """Return the stored verdicts of a project; none if the file is missing or damaged."""
    path = project.local / "verdicts.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Verdicts(path, dict(content["runs"]), dict.fromkeys(content["rows"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Verdicts(path, {}, {})


def run_key(project: Project, tables: tuple[str, ...]) -> str | None:
    """Return the key of a run: a digest of all files of the project, the tool, the server and the date.

    Return None for a server whose programs are not known before it starts, such as a container, and if a file
    cannot be read.
    """
    try:
        parts = [repr([project, tables, find(project.server).identity, date.today(), _tool()])]
        for folder in _FOLDERS:
            for path in _files(project.root / folder):
                parts.append(f"{project.show(path)} {hashlib.sha256(path.read_bytes()).hexdigest()}")
    except (ServerUnfit, OSError):
        return None
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def row_keys(
    connection: Connection, matrix: AccessMatrix, tables: Collection[str]
) -> Mapping[MatrixRow, str | None]:
    """Return the key of each row of the access matrix for these tables; None if it cannot be stored.

    The connection is of a superuser, to a database with the fixture and without changes of its own.
    """
    catalog = snapshot(connection, all_roles=True)
    dependencies = Dependencies(catalog, row_digests(connection, catalog))
    shared = [_tool(), _server(connection)]
    actors = {
        actor.name: [actor.role, actor.claims, dict(actor.settings), dict(actor.names)]
        for actor in matrix.actors.values()
    }
    keys: dict[MatrixRow, str | None] = {}
    for name in tables:
        table, relation = matrix.tables[name], dependencies.relation(name)
        classes = [*dependencies.in_text(" ".join(table.rows.values()), SUPERUSER)]
        targets = {
            column: [
                matrix.actor_list.people.get(value),
                [a.names.get(value) for a in matrix.actors.values()],
            ]
            for column, value in table.reassignments.items()
        }
        reached = {
            role: dependencies.digest([*classes, Use(relation, "write", role)]) if relation else None
            for role in {actor.role for actor in matrix.actors.values()}
        }
        expected = repr([shared, name, dict(table.rows), targets])
        for actor in matrix.actors.values():
            cells = [table.cells[actor.name, command].classes for command in COMMANDS]
            digest = reached[actor.role]
            content = repr([expected, digest, actors[actor.name], cells])
            keys[name, actor.name] = digest and hashlib.sha256(content.encode()).hexdigest()
    return keys


def _server(connection: Connection) -> str:
    row = connection.execute("select version()").fetchone()
    return str(row)


def _tool() -> str:
    """Return a text that changes with the version of aigym-db, its files and the libraries it uses."""
    package = Path(__file__).parents[1]
    files = [
        (str(path), status.st_size, status.st_mtime_ns)
        for path in _files(package)
        if path.suffix in (".py", ".sql") and (status := path.stat())
    ]
    return repr([files, [version(name) for name in _LIBRARIES]])


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders.sort()
        yield from (Path(parent, name) for name in sorted(names))
