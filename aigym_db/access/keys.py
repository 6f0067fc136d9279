"""The keys of verdicts: digests of everything that the result of a cell depends on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from aigym_db.access.dependencies import Dependencies, Use
from aigym_db.access.escalations import policy_inputs_digest
from aigym_db.access.matrix import AccessMatrix
from aigym_db.access.row_digests import row_digests
from aigym_db.access.test_database import FIXTURE, REFERENCE
from aigym_db.database.catalog import snapshot
from aigym_db.database.migration_session import Connection
from aigym_db.database.servers.binaries import find
from aigym_db.database.servers.server import SUPERUSER
from aigym_db.errors import ServerUnfit
from aigym_db.model.access import COMMANDS, CallCell
from aigym_db.model.source import Place
from aigym_db.project.config import Project

_ROW_FOLDERS = ("schema", "migrations", REFERENCE, FIXTURE)
"""The folders of the files that create rows."""
_LIBRARIES = ("jinja2", "pglast", "psycopg")


def run_key(project: Project, tables: tuple[str, ...]) -> str | None:
    """Return the key of a run: a digest of all files of the project, the tool, the server and the date.

    Return None for a server whose programs are not known before it starts, such as a container, and if a file
    cannot be read.
    """
    try:
        parts = [repr([project, tables, find(project.server).identity, date.today(), _tool()])]
        for folder in ("policies", *_ROW_FOLDERS):
            for path in _files(project.root / folder):
                parts.append(f"{project.show(path)} {hashlib.sha256(path.read_bytes()).hexdigest()}")
    except (ServerUnfit, OSError):
        return None
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def row_sources(project: Project) -> str:
    """Return the text of the files from which the rows of the test database are made."""
    return "\n".join(
        path.read_text(encoding="utf-8", errors="replace")
        for folder in _ROW_FOLDERS
        for path in _files(project.root / folder)
        if path.is_file()
    )


@dataclass(frozen=True, slots=True)
class CellKey:
    """The key of a verdict: of the cells of a table and an actor, or of a call by an actor."""

    name: tuple[str, ...]
    """Table and actor, or function, call and actor."""
    places: frozenset[Place | None]
    """Those of the cells and of the table."""
    key: str | None
    """None if the verdict cannot be stored."""


def cell_keys(
    connection: Connection,
    matrix: AccessMatrix,
    tables: Collection[str],
    functions: Collection[str],
    sources: str = "",
) -> tuple[CellKey, ...]:
    """Return the keys of the cells of these tables and functions; `sources` as for `row_digests`.

    The connection is of a superuser, to a database with the fixture, to which nothing else has been added.
    """
    catalog = snapshot(connection, all_roles=True)
    server = connection.execute("select version()").fetchone()
    dependencies = Dependencies(catalog, row_digests(connection, catalog, sources))
    keys = _Keys(
        matrix,
        dependencies,
        _digest(_tool(), server, policy_inputs_digest(connection)),
        {
            actor.name: _digest(actor.name, actor.role, actor.claims, dict(actor.settings), dict(actor.names))
            for actor in matrix.actors.values()
        },
        _digest([(other.function, other.call, other.arguments) for other in _first_calls(matrix)]),
        {
            role: dependencies.digest(dependencies.reads(role, matrix.functions))
            for role in {SUPERUSER, *(actor.role for actor in matrix.actors.values())}
        },
    )
    return (
        *(key for name in tables for key in keys.of_table(name)),
        *(keys.of_call(cell) for name in functions for cell in matrix.functions[name].cells.values()),
    )


@dataclass(frozen=True, slots=True)
class _Keys:
    matrix: AccessMatrix
    dependencies: Dependencies
    shared: str
    """A digest of the versions of tool and server, and of what policies read."""
    actors: Mapping[str, str]
    """A digest of each actor."""
    all_calls: str
    """A digest of the calls of the matrix, with their arguments."""
    all_reads: Mapping[str, str | None]
    """By role, a digest of what reading all tables and calling all functions depends on."""

    def of_table(self, name: str) -> Iterator[CellKey]:
        """Yield the key of each actor's cells of a table."""
        table, relation = self.matrix.tables[name], self.dependencies.relation(name)
        classes = [*self.dependencies.in_text(" ".join(table.rows.values()), SUPERUSER)]
        targets = {
            column: (
                self.matrix.actor_list.people.get(value),
                [actor.names.get(value) for actor in self.matrix.actors.values()],
            )
            for column, value in table.reassignments.items()
        }
        expected = _digest(name, dict(table.rows), targets)
        reached = {
            role: self.dependencies.digest([*classes, Use(relation, "write", role)]) if relation else None
            for role in {actor.role for actor in self.matrix.actors.values()}
        }
        for actor in self.matrix.actors.values():
            cells = [table.cells[actor.name, command] for command in COMMANDS]
            digest = reached[actor.role]
            expected_of_cells = [(cell.classes, sorted(cell.gains)) for cell in cells]
            yield CellKey(
                (name, actor.name),
                frozenset((table.place, *(cell.place for cell in cells))),
                digest and _digest(self.shared, expected, digest, self.actors[actor.name], expected_of_cells),
            )

    def of_call(self, cell: CallCell) -> CellKey:
        """Return the key of a call.

        A call that, with the statements before it, is expected to change rows can change the reach of its
        actors, so that it depends on every table, all calls of functions and the owner columns of the matrix.
        """
        matrix = self.matrix
        actors = [cell.actor, *(step.actor for step in cell.before)]
        texts = [" ".join((*cell.arguments, cell.expected.value)), *(step.sql for step in cell.before)]
        content: list[object] = [cell.function, cell.call, cell.arguments, repr(cell.before)]
        content += [cell.expected, matrix.actor_list.people, *(self.actors[actor] for actor in actors)]
        uses = [*self.dependencies.in_text(texts[0], SUPERUSER)]
        for actor, text in zip(actors, [cell.function.partition("(")[0], *texts[1:]], strict=True):
            for use in self.dependencies.in_text(text, matrix.actors[actor].role):
                uses.append(use if use.mode == "call" else use._replace(mode="write"))
        digests = [self.dependencies.digest(uses)]
        if cell.expected.changes:
            content.append([(name, dict(table.reassignments)) for name, table in matrix.tables.items()])
            content.append(self.all_calls)
            roles = sorted({SUPERUSER, *(matrix.actors[actor].role for actor in actors)})
            digests += [self.all_reads[role] for role in roles]
        return CellKey(
            (cell.function, cell.call, cell.actor),
            frozenset((cell.place,)),
            None if None in digests else _digest(self.shared, digests, content),
        )


def _first_calls(matrix: AccessMatrix) -> Iterator[CallCell]:
    """Yield one cell for each call of each function; its arguments are the same for all actors."""
    seen = set[tuple[str, str]]()
    for cell in matrix.call_cells:
        if (cell.function, cell.call) not in seen:
            seen.add((cell.function, cell.call))
            yield cell


def _digest(*content: object) -> str:
    """Return the SHA-256 of the `repr` of values, in hexadecimal."""
    return hashlib.sha256(repr(content).encode()).hexdigest()


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
