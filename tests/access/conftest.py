"""A small project with one table per kind of ownership, and an access matrix that matches."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from aigym_db.access.findings import coverage_gaps, differing_cells
from aigym_db.access.matrix import read_matrix
from aigym_db.access.trial import trial
from aigym_db.access.trigger_differences import trigger_differences
from tests.access.calls import RENAME, Calls
from tests.support.command import ProjectInProcess

MINI = Path(__file__).parent / "mini"


@pytest.fixture
def mini(tmp_path: Path) -> Path:
    """A copy of the small project that a test can change."""
    return Path(shutil.copytree(MINI, tmp_path / "mini"))


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    """A superuser's connection to a database with the small project's schema and fixture."""
    with psycopg.connect(database, autocommit=True) as opened:
        opened.execute((MINI / "schema.sql").read_bytes())
        opened.execute((MINI / "fixture.sql").read_bytes())
        yield opened


@pytest.fixture
def messages(connection: psycopg.Connection) -> Callable[..., list[str]]:
    """Return a function that executes statements and returns the messages of the findings."""

    def run(*changes: str, root: Path = MINI) -> list[str]:
        for change in changes:
            connection.execute(change.encode())
        prepared = trial(connection, read_matrix(root))
        results = prepared.run()
        outcomes = prepared.outcomes(results)
        findings = (
            *differing_cells(outcomes),
            *trigger_differences(prepared, results, outcomes),
            *coverage_gaps(prepared),
        )
        return [finding.message for finding in findings]

    return run


@pytest.fixture
def calls(mini: Path, connection: psycopg.Connection) -> Iterator[Calls]:
    """The small project with a function `app.rename` that its users can execute."""
    connection.execute("update app.colours set retired = false where code = 'teal'")
    connection.execute(RENAME.encode())
    yield Calls(mini, connection)


@pytest.fixture
def in_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> ProjectInProcess:
    """The small project with a migration and a fixture; its commands run in this process, with the cache."""
    monkeypatch.delenv("CI", raising=False)
    project = ProjectInProcess(tmp_path / "project", capsys)
    shutil.copytree(MINI / "policies", project.folder / "policies")
    project.migration("0001_schema", (MINI / "schema.sql").read_text())
    project.write("seeds/test/10_rows.sql", (MINI / "fixture.sql").read_text())
    return project
