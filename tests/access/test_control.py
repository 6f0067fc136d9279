"""The control: a deliberately wrong table that every run of `test` must report."""

from __future__ import annotations

import psycopg
import pytest

from aigym_db.access import control
from aigym_db.access.control import check_control
from aigym_db.access.matrix import read_matrix
from aigym_db.errors import BlindDetector
from tests.access.conftest import MINI
from tests.support.command import ProjectInProcess

SCHEMAS = "select count(*) from pg_namespace where nspname ~ 'control'"


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
