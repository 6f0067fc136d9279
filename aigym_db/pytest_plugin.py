"""pytest plugin: a database per test, connections as an actor, and one test per cell of the access matrix.

    def test_members_see_their_tenant(as_actor):
        rows = as_actor("member").execute("select name from iam.tenants").fetchall()
        assert rows == [("Acme",)]

`aigym_database` is the DSN of a clone of the project's migrated database with the rows of `seeds/test`;
`as_actor` is called with a name of `policies/actors.toml` and returns a connection to that clone.
`actor_transaction` is one transaction in which every actor can act, and which returns what each reaches.
`pytest policies/` (or `testpaths` with it) runs each cell as a test. The test database is built on first use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import psycopg

    from aigym_db.access.actor_transaction import ActorTransaction
    from aigym_db.access.test_database import TestDatabase
    from aigym_db.model.access import CallCell, CallOutcome, Cell, Outcome
    from aigym_db.project.config import Project

ENDING = ".access.toml"


@pytest.fixture(scope="session")
def aigym_root(pytestconfig: pytest.Config) -> Path:
    """The folder of the aigym-db project, or a folder in it; default: the root directory of pytest.

    If the project is elsewhere, override this fixture in `conftest.py`. Tests that use the
    database raise NoProject (AIG-P001) if the folder is in no project.
    """
    return pytestconfig.rootpath


@pytest.fixture
def aigym_database(aigym_root: Path, pytestconfig: pytest.Config) -> Iterator[str]:
    """The DSN, as superuser, of a database of this test alone; it is dropped after the test.

    It is a clone of the test database: the schema of the project with the rows of `seeds/reference` and
    `seeds/test`. Raise StatementFailed (AIG-S002) if PostgreSQL rejects a statement of the schema, BadSeed
    (AIG-P014) if it rejects a row.
    """
    from aigym_db.project.config import find

    with _test_databases(pytestconfig).open(find(aigym_root)).database() as dsn:
        yield dsn


@pytest.fixture
def as_actor(
    aigym_root: Path, aigym_database: str
) -> Iterator[Callable[[str], psycopg.Connection[tuple[Any, ...]]]]:
    """Return a function that connects to `aigym_database` with role, claims and settings of an actor.

    Its argument is the name of an actor in `policies/actors.toml`; another name is a `pytest.UsageError`. The
    connections are in autocommit mode and closed after the test.
    """
    from aigym_db.access.actors import read_actors
    from aigym_db.access.test_database import connect_as
    from aigym_db.project.config import find

    actors = read_actors(find(aigym_root).root).actors
    with ExitStack() as opened:

        def act(name: str) -> psycopg.Connection[tuple[Any, ...]]:
            if name not in actors:
                raise pytest.UsageError(f"the actor {name!r} does not exist; use one of: {', '.join(actors)}")
            return opened.enter_context(connect_as(aigym_database, actors[name]))

        yield act


@pytest.fixture
def actor_transaction(aigym_root: Path, aigym_database: str) -> Iterator[ActorTransaction]:
    """One transaction on `aigym_database` in which every actor can act; it is rolled back after the test.

    `act(actor, sql, parameters, claims=…)` executes a statement as an actor, `execute(sql, parameters)` as
    superuser; both return rows. `reach(actor, claims=…)` returns what the actor reaches: a mapping of
    `schema.table` to the keys of rows, see `ActorTransaction`.
    """
    from aigym_db.access import actor_transaction as transactions
    from aigym_db.access.matrix import read_matrix
    from aigym_db.database.connect import connect
    from aigym_db.project.config import find

    matrix = read_matrix(find(aigym_root).root)
    with (
        connect(aigym_database, autocommit=True) as connection,
        transactions.actor_transaction(connection, matrix) as opened,
    ):
        yield opened


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect `policies/*.access.toml` as test files; return None for any other file."""
    if file_path.name.endswith(ENDING) and file_path.parent.name == "policies":
        return AccessFile.from_parent(parent, path=file_path)
    return None


class AccessFile(pytest.File):
    """An access matrix file; each of its cells, of a table or a function, is a test."""

    def collect(self) -> Iterable[pytest.Item]:
        from aigym_db.access.matrix import read_matrix
        from aigym_db.errors import AigymError
        from aigym_db.project.config import find

        root = self.path.parent.parent
        try:
            project, matrix = find(root), read_matrix(root)
        except AigymError as error:
            raise self.CollectError(_message(error)) from None
        for table_matrix in matrix.tables.values():
            if table_matrix.place.file == project.show(self.path):
                for cell in table_matrix.cells.values():
                    name = f"{cell.table}[{cell.actor}-{cell.command}]"
                    yield CellItem.from_parent(self, name=name, cell=cell, project=project)
        for function_matrix in matrix.functions.values():
            if function_matrix.place.file == project.show(self.path):
                for call_cell in function_matrix.cells.values():
                    name = f"{call_cell.function}[{call_cell.actor}-{call_cell.call}]"
                    yield CallItem.from_parent(self, name=name, cell=call_cell, project=project)


class _MatrixItem(pytest.Item):
    """The report of a cell that differs: the message of the finding, and the place in the access matrix."""

    cell: Cell | CallCell

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        from aigym_db.errors import AigymError

        if isinstance(excinfo.value, WrongCellError):
            place = f"\n{self.cell.place}" if self.cell.place else ""
            return f"{excinfo.value}{place}"
        if isinstance(excinfo.value, AigymError):
            return _message(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, self.cell.place.line - 1 if self.cell.place else None, self.name


class CellItem(_MatrixItem):
    """One cell of a table: actual rows must equal expected rows."""

    def __init__(self, *, cell: Cell, project: Project, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cell: Cell = cell
        self.project = project

    def runtest(self) -> None:
        from aigym_db.access.findings import differing_cells

        outcome = _test_databases(self.config).outcome(self.project, self.cell)
        for finding in differing_cells([outcome]):
            raise WrongCellError(finding.message)


class CallItem(_MatrixItem):
    """One cell of a function: the actual result of the call must be the expected one."""

    def __init__(self, *, cell: CallCell, project: Project, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cell: CallCell = cell
        self.project = project

    def runtest(self) -> None:
        from aigym_db.access.findings import differing_calls

        outcome = _test_databases(self.config).call_outcome(self.project, self.cell)
        for finding in differing_calls([outcome]):
            raise WrongCellError(finding.message)


class WrongCellError(Exception):
    """The actual rows or result of a cell differ from the expected ones."""


class TestDatabases:
    """The test databases of a pytest run, and the outcomes already computed."""

    def __init__(self) -> None:
        self.opened = ExitStack()
        self._databases: dict[Path, TestDatabase] = {}
        self._outcomes: dict[tuple[Path, str], dict[tuple[str, str], Outcome]] = {}
        self._call_outcomes: dict[tuple[Path, str], dict[tuple[str, str], CallOutcome]] = {}

    def open(self, project: Project) -> TestDatabase:
        """Return the test database of the project; create it on first use."""
        from aigym_db.access.test_database import open_test_database

        if project.root not in self._databases:
            self._databases[project.root] = self.opened.enter_context(open_test_database(project))
        return self._databases[project.root]

    def outcome(self, project: Project, cell: Cell) -> Outcome:
        """Return the outcome of a cell; on first use, test all cells of its table."""
        from aigym_db.access.matrix import read_matrix
        from aigym_db.access.trial import trial

        key = (project.root, cell.table)
        if key not in self._outcomes:
            with self.open(project).connection() as connection:
                outcomes = trial(connection, read_matrix(project.root), {cell.table}).outcomes()
            self._outcomes[key] = {
                (outcome.cell.actor, outcome.cell.command): outcome for outcome in outcomes
            }
        return self._outcomes[key][cell.actor, cell.command]

    def call_outcome(self, project: Project, cell: CallCell) -> CallOutcome:
        """Return the outcome of a call cell; on first use, execute all calls of its function."""
        from aigym_db.access.calls import call_outcomes
        from aigym_db.access.matrix import read_matrix

        key = (project.root, cell.function)
        if key not in self._call_outcomes:
            with self.open(project).connection() as connection:
                outcomes = call_outcomes(connection, read_matrix(project.root), {cell.function})
            self._call_outcomes[key] = {
                (outcome.cell.actor, outcome.cell.call): outcome for outcome in outcomes
            }
        return self._call_outcomes[key][cell.actor, cell.call]


_KEY = pytest.StashKey[TestDatabases]()


def _test_databases(config: pytest.Config) -> TestDatabases:
    if _KEY not in config.stash:
        config.stash[_KEY] = TestDatabases()
        config.add_cleanup(config.stash[_KEY].opened.close)
    return config.stash[_KEY]


def _message(error: Any) -> str:
    """Return the text of an error in pytest output."""
    lines = [f"{error.place}: {error.message}" if error.place else error.message, error.detail, error.hint]
    return "\n".join(line for line in lines if line)
