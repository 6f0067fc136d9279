"""The displayed progress of a long statement."""

from __future__ import annotations

import io

import pytest

from aigym_db.migrate.observer import Progress
from aigym_db.report import progress as shown
from aigym_db.report.progress import Watching
from aigym_db.report.result import Report


@pytest.fixture
def log(monkeypatch) -> io.StringIO:
    """A log without a minimum interval between lines."""
    monkeypatch.setattr(shown, "_REPEAT_S", 0.0)
    return io.StringIO()


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (
            Progress("create index: scanning table on app.a", 1024, 2500, "pages"),
            "41% (1,024 of 2,500 pages)",
        ),
        (Progress("copy from on app.a", 70_000, 0, "rows"), "copy from on app.a, 70,000 rows"),
        (Progress("vacuum: initializing on app.a", 0, 0, "pages"), "vacuum: initializing on app.a\n"),
        (Progress("analyze: x", 7, 5, "pages"), "100% (7 of 5 pages)"),
    ],
)
def test_a_log_contains_the_amount_done_and_the_total(write, log, made: Progress, line: str) -> None:
    watching = Watching(Report(out=log, err=log))

    watching.progress(write(1, "select 1;"), made)

    assert log.getvalue().startswith("  0001 step_1: ")
    assert line in log.getvalue()


def test_progress_is_logged_at_intervals(write, log, monkeypatch) -> None:
    monkeypatch.setattr(shown, "_REPEAT_S", 3600.0)
    watching, migration = Watching(Report(out=log, err=log)), write(1, "select 1;")

    watching.started(migration)
    watching.progress(migration, Progress("copy from", 1, 0, "rows"))

    assert log.getvalue() == ""
