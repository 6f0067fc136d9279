"""The control: a deliberately wrong table that every run of `test` must report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from aigym_db.access import control
from aigym_db.access.control import check_control
from aigym_db.access.matrix import read_matrix
from aigym_db.errors import BlindDetector
from tests.access.conftest import MINI
from tests.support.command import ProjectInProcess

SCHEMAS = "select count(*) from pg_namespace where nspname ~ 'control'"


@pytest.fixture
def in_process(mini: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[ProjectInProcess]:
    """The small project, whose commands run in this process."""
    project = ProjectInProcess(tmp_path / "project", capsys)
    schema = (mini / "schema.sql").read_text()
    project.write(
        "migrations/0001_everything.sql",
        f"-- 0001 everything\n-- migrate:up role:none\n{schema}\n-- migrate:down irreversible: the first\n",
    )
    project.write("seeds/test/rows.sql", (mini / "fixture.sql").read_text())
    (mini / "policies").rename(tmp_path / "project/policies")
    yield project


def test_the_control_is_reported_for_every_actor_and_nothing_remains(connection: psycopg.Connection) -> None:
    check_control(connection, read_matrix(MINI))

    assert connection.execute(SCHEMAS).fetchone() == (0,)


def test_every_run_reports_the_control(in_process: ProjectInProcess) -> None:
    text = in_process("test")
    document = in_process("--format", "json", "test", "app.units").document

    assert (text.status, "control: found\n" in text.out) == (0, True)
    assert document["control"] == "found"


def test_a_detector_that_sees_no_rows_ends_with_status_2(
    in_process: ProjectInProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the control, the cells that expect no rows would match."""
    monkeypatch.setattr("aigym_db.access.statements.select_visible", lambda _: "select '{}'::text[]")

    document = in_process("--format", "json", "test").document

    assert (document["exit_status"], document["findings"][0]["code"]) == (2, "AIG-P018")
    assert "which anonymous can read" in document["findings"][0]["message"]


def test_a_control_with_a_correct_policy_is_an_error(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = [text.replace("using (true)", "using (false)") for text in control._STATEMENTS]
    monkeypatch.setattr(control, "_STATEMENTS", statements)

    with pytest.raises(BlindDetector, match="which anonymous can read"):
        check_control(connection, read_matrix(MINI))

    assert connection.execute(SCHEMAS).fetchone() == (0,)
