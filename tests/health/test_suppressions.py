"""Suppressions of `health`: a reason, an end, and a warning once they have expired."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

import aigym_db
from aigym_db.errors import BadConfig
from aigym_db.health.examine import exit_status
from tests.support.command import ProjectInProcess

Visitor = psycopg.Connection[tuple[object, ...]]
UNVALIDATED = "alter table app.birds add constraint birds_check check (id > 5) not valid"


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> ProjectInProcess:
    return ProjectInProcess(tmp_path, capsys)


def entry(check: str = "unvalidated-constraint", days: int = 1, more: str = "") -> str:
    """A suppression that ends in this many days."""
    until = datetime.now(UTC).date() + timedelta(days=days)
    return f"[[health_suppressions]]\ncheck = '{check}'\nreason = 'Legacy rows.'\nuntil = {until}\n{more}"


def status(dsn: str, project: ProjectInProcess) -> int:
    return exit_status(result.severity for result in aigym_db.health(dsn, project.folder).results)


def test_without_a_suppression_the_status_is_that_of_the_check(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    visitor.execute(UNVALIDATED.encode())
    project.write("aigym-db.toml", "")

    assert status(database, project) == 1
    assert exit_status(result.severity for result in aigym_db.health(database).results) == 1


@pytest.mark.parametrize("check", ["unvalidated-constraint", "HLT02"])
@pytest.mark.parametrize("more", ["", "object = 'app.birds'"])
def test_a_suppressed_report_is_printed_and_does_not_change_the_status(
    visitor: Visitor, database: str, project: ProjectInProcess, check: str, more: str
) -> None:
    visitor.execute(UNVALIDATED.encode())
    (before,) = aigym_db.health(database, checks=("HLT02",)).results[0].measurements
    project.write("aigym-db.toml", entry(check, 0, more.replace("app.birds", before.object)))

    printed = project("--database", database, "health", "HLT02")
    document = project("--format", "json", "--database", database, "health", "HLT02").document

    assert printed.status == 0
    assert "suppressed: " + before.message in printed.out
    assert "reason: Legacy rows. (until " in printed.out
    (measurement,) = document["checks"][0]["measurements"]
    assert (measurement["severity"], measurement["suppressed"][:12]) == ("ok", "Legacy rows.")
    assert document["findings"] == []


def test_other_objects_are_not_suppressed(visitor: Visitor, database: str, project: ProjectInProcess) -> None:
    visitor.execute(UNVALIDATED.encode())
    project.write("aigym-db.toml", entry(more="object = 'app.eggs'"))

    assert status(database, project) == 1


def test_an_expired_suppression_is_a_warning_with_or_without_a_report(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    project.write("aigym-db.toml", entry(days=-1))

    assert status(database, project) == 1
    visitor.execute(UNVALIDATED.encode())
    printed = project("--database", database, "health", "HLT02").out

    assert "The suppression of unvalidated-constraint expired on " in printed
    assert "is not validated" in printed
    assert project("--database", database, "health", "HLT01").status == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (entry("unvalidated-constrain"), "check `unvalidated-constrain`, which does not exist"),
        ("[[health_suppressions]]\ncheck = 'HLT02'\nuntil = 2030-01-01", "no key `reason`"),
        ("[[health_suppressions]]\ncheck = 'HLT02'\nreason = 'a'", "no key `until`"),
        (entry(more="objects = 'a'"), "no setting `objects`"),
        (entry().replace("until = ", "until = '").rstrip() + "'", "`until` must be a date"),
    ],
)
def test_an_incomplete_suppression_is_an_error(
    database: str, project: ProjectInProcess, text: str, message: str
) -> None:
    project.write("aigym-db.toml", text)

    with pytest.raises(BadConfig, match=message):
        aigym_db.health(database, project.folder)
