"""A small project with one table per way of owning rows, and answers that hold."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from aigym_db.access.findings import coverage_gaps, differing_cells, trigger_differences
from aigym_db.access.matrix import read_matrix
from aigym_db.access.trial import trial

MINI = Path(__file__).parent / "mini"


@pytest.fixture
def mini(tmp_path: Path) -> Path:
    """A copy of the small project, to be changed at will."""
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
    """What is said about the small project after some statements have been run."""

    def run(*changes: str, root: Path = MINI) -> list[str]:
        for change in changes:
            connection.execute(change.encode())
        asked = trial(connection, read_matrix(root))
        outcomes = asked.outcomes()
        found = (*differing_cells(outcomes), *trigger_differences(asked, outcomes), *coverage_gaps(asked))
        return [finding.message for finding in found]

    return run
