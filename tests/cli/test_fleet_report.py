"""The report of a fleet run on a terminal and in a log."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any, cast

import pytest

from aigym_db.database.partially_applied import PartialMigration
from aigym_db.errors import StatementFailed
from aigym_db.migrate.fleet.result import FleetResult, TargetResult
from aigym_db.migrate.fleet.status import TargetStatus
from aigym_db.migrate.observer import Finished, Notice
from aigym_db.migrate.status import Status
from aigym_db.model.migration import Migration, Part, Plan
from aigym_db.model.source import Place, Source
from aigym_db.project.targets import Target
from aigym_db.report.fleet import WatchingFleet
from aigym_db.report.fleet_status import report_fleet_status
from aigym_db.report.result import Report

SOURCE = Source("migrations/0001_notes.sql", "select 1")
NOTES = Migration(1, "notes", SOURCE.file, Part(SOURCE, 0, 8), None, "because", "sum")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> str:
        """The text without escape sequences."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.getvalue())


@pytest.fixture
def terminal(monkeypatch) -> Terminal:
    for name in ("CI", "NO_COLOR", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    return Terminal()


def entries(report: Report) -> list[dict[str, Any]]:
    """The targets of the JSON document."""
    return cast("Any", report.document(0))["targets"]


def target_result(name: str, **more) -> TargetResult:
    plan = Plan("up", (NOTES,), "digest")
    return TargetResult(Target(name, "dbname=x", Place("targets.toml", 1, 1)), plan=plan, **more)


def test_a_terminal_shows_bars_during_the_run_and_a_line_for_each_target(terminal) -> None:
    first, second = target_result("[red]one"), target_result("two")
    report = Report(out=terminal, err=terminal)

    with WatchingFleet(report) as watching:
        watching.planned((first, second))
        observer = watching.started(first)
        observer.started(NOTES)
        observer.notice(NOTES, Notice("NOTICE", "look at this"))
        observer.finished(Finished(NOTES, 3.0))
        watching.bars.refresh()
        first.ended(0.0, (Finished(NOTES, 3.0),))
        watching.ended(first)
        watching.bars.refresh()

    assert "2 targets, 2 with something to apply." in terminal.text
    assert re.search(r"targets +[━╺╸]+ 1/2 ", terminal.text)
    assert re.search(r"\[red\]one +━+ 1/1 .* 0001 notes", terminal.text)
    assert "[red]one: notice: look at this" in terminal.text
    assert "done [red]one (1 applied, 0 ms)" in terminal.text
    assert "applied 0001 notes" not in terminal.text


def test_the_report_of_a_rollback(terminal) -> None:
    log = io.StringIO()
    report, first = Report(out=log, err=log), target_result("one")
    idle = TargetResult(Target("two", "dbname=x", first.target.place), "done", Plan("down", (), "digest"))

    with WatchingFleet(report, "down") as watching:
        watching.planned((first, idle))
        watching.started(first).finished(Finished(NOTES, 3.0))
        first.ended(0.0, (Finished(NOTES, 3.0),))
        watching.ended(first)
        watching.summary(FleetResult((first, idle), None))

    assert log.getvalue().splitlines() == [
        "2 targets, 1 with something to roll back.",
        "one: rolled back 0001 notes (3 ms)",
        "done one (1 rolled back, 0 ms)",
        "",
        "target  status                rolled back  time  error",
        "one     done                  1 of 1",
        "two     nothing to roll back",
        "",
        "1 done, 1 nothing to roll back.",
    ]
    assert [each["status"] for each in entries(report)] == ["done", "nothing to roll back"]
    assert entries(report)[0]["rolled_back"][0]["version"] == 1


def test_a_log_has_a_line_for_each_migration_with_its_target(terminal) -> None:
    log, first = io.StringIO(), target_result("one")

    with WatchingFleet(Report(out=log, err=log)) as watching:
        watching.planned((first,))
        watching.started(first).finished(Finished(NOTES, 3.0))

    assert "one: applied 0001 notes (3 ms)\n" in log.getvalue()


def test_the_summary_lists_every_target_and_each_error_once(terminal) -> None:
    log = io.StringIO()
    report = Report(out=log, err=log)
    errors = [StatementFailed("0001 notes: no", place=Place("m.sql", 3, 1)) for _ in range(7)]
    failed = [
        target_result(f"shop-{n}", state="failed", duration_ms=12_345.6, error=error)
        for n, error in enumerate(errors)
    ]
    others = (
        target_result("last"),
        target_result("日本", state="done", duration_ms=1.0, finished=[Finished(NOTES, 1.0)]),
    )

    WatchingFleet(report).summary(FleetResult((*failed, *others), errors[0]))

    assert log.getvalue().splitlines()[1:3] == [
        "target  status       applied  time  error",
        "shop-0  failed       0 of 1   12 s  AIG-S002",
    ]
    assert "last    not started  0 of 1" in log.getvalue()
    assert "日本    done         1 of 1   1 ms" in log.getvalue()
    assert log.getvalue().count("0001 notes: no") == 1
    assert "shop-0, shop-1, shop-2, shop-3, shop-4 and 2 more: 0001 notes: no" in log.getvalue()
    assert log.getvalue().splitlines()[-1] == "1 done, 7 failed, 1 not started."
    assert [each["status"] for each in entries(report)] == ["failed"] * 7 + [
        "not started",
        "done",
    ]
    assert entries(report)[0]["error"]["code"] == "AIG-S002"


def test_the_status_table_shows_drafts_and_unreadable_journals() -> None:
    log = io.StringIO()
    report, place = Report(out=log, err=log), Place("targets.toml", 1, 1)
    draft = replace(NOTES, version=2, name="more")
    statuses = [
        Status((), (NOTES, draft), ()),
        Status((), (), None),
        Status((), (NOTES,), (PartialMigration(1, "notes", "sum", "up", 2, None),)),
    ]
    targets = [
        TargetStatus(Target(f"db-{n}", "dbname=x", place), status) for n, status in enumerate(statuses)
    ]

    report_fleet_status(report, tuple(targets), frozenset([1]))

    assert log.getvalue().splitlines() == [
        "target  at    pending      error",
        "db-0    0000  2 (1 draft)",
        "db-1    0000",
        "db-2    0000  1",
        "",
        "db-2: 0001 notes is partially applied: resumes at statement 3.",
        "1 nothing pending, 1 behind, 1 interrupted.",
    ]
    assert [each["unfinished"] is None for each in entries(report)] == [False, True, False]
