"""The displayed progress of a long statement."""

from __future__ import annotations

import io
from typing import Literal

import pytest

from aigym_db.database.locks import Blocker
from aigym_db.migrate.observer import Progress, Waiting
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


def blocker(pid: int) -> Blocker:
    return Blocker(pid, "app", "shop", "10.0.0.1", "active", 1.0, "select 1")


def test_a_wait_with_retries_is_logged_once_per_blocking_session_and_interval(monkeypatch) -> None:
    log, clock = io.StringIO(), [100.0]
    monkeypatch.setattr("aigym_db.report.progress.time.monotonic", lambda: clock[0])
    watching = Watching(Report(out=log, err=log))
    for tick in range(60):
        clock[0] = 100.2 + tick * 0.2
        pid = 7 if tick < 40 else 8
        # Each fifth report follows a lock timeout; the next try waits anew.
        reason: Literal["retry", "lock"] = "retry" if tick % 5 == 4 else "lock"
        watching.waiting(Waiting(reason, 0.2 * (tick % 5 + 1), blockers=(blocker(pid),)))

    assert [line.split(" (")[0].strip() for line in log.getvalue().splitlines()] == [
        "waiting for a lock",
        "pid 7",
        "lock timeout; retrying, 1 s",
        "lock timeout; retrying, 6 s",
        "waiting for a lock, 8 s",
        "pid 8",
    ]


def test_a_later_wait_is_logged_as_a_new_one(monkeypatch) -> None:
    log, clock = io.StringIO(), [100.0]
    monkeypatch.setattr("aigym_db.report.progress.time.monotonic", lambda: clock[0])
    watching = Watching(Report(out=log, err=log))

    watching.waiting(Waiting("lock", 2.0, blockers=(blocker(7),)))
    clock[0] = 200.0
    watching.waiting(Waiting("lock", 2.0, blockers=(blocker(7),)))

    assert log.getvalue().splitlines()[::2] == ["  waiting for a lock, 2 s"] * 2
