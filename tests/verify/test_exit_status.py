"""The exit status of `verify` and `up` for each kind of finding."""

from __future__ import annotations

import dataclasses

import pytest

from aigym_db.model.finding import Level
from aigym_db.verify.check import CheckFailure, checks
from aigym_db.verify.verify import exit_status

BY_CODE = {check.code: check for check in checks()}


@pytest.mark.parametrize("code", BY_CODE)
def test_only_an_edited_history_or_a_drifted_database_is_5(code: str) -> None:
    finding = BY_CODE[code].finding(CheckFailure("A message."))

    expected = 5 if code in ("HIST01", "HIST02", "HIST03", "HIST04") else 1
    assert exit_status([finding]) == (0 if finding.level == "note" else expected)


@pytest.mark.parametrize(("level", "status"), [("note", 1), ("warning", 5), ("error", 5)])
def test_a_note_does_not_change_the_status_of_an_error(level: Level, status: int) -> None:
    drift, other = BY_CODE["HIST04"], BY_CODE["SEC01"]
    findings = [
        other.finding(CheckFailure("A message.")),
        dataclasses.replace(drift.finding(CheckFailure("A message.")), level=level),
    ]

    assert exit_status(findings) == status
