"""Servers and databases for tests: real ones, gone afterwards."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from aigym_db.database.servers.cleanup import orphaned, remove_orphaned
from aigym_db.database.servers.databases import Database, temporary_database
from aigym_db.database.servers.installed import InstalledThrowaway
from tests.support.servers import installed


@pytest.fixture(scope="session")
def server() -> Iterator[InstalledThrowaway]:
    """A throwaway PostgreSQL 18 for this test process; each worker of pytest-xdist has its own."""
    with installed("embedded") as running:
        yield running


@pytest.fixture(scope="session", autouse=True)
def server_data_of_removed_projects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Delete the data of the local servers of this session's projects at its end.

    For root, the data is outside pytest's folders, which other users cannot enter.
    """
    yield
    own = tmp_path_factory.getbasetemp()
    remove_orphaned(home for home in orphaned() if home.project and home.project.is_relative_to(own))


@pytest.fixture
def created(server: InstalledThrowaway) -> Iterator[Database]:
    """A new, empty database, dropped after the test."""
    with temporary_database(server) as database:
        yield database


@pytest.fixture
def database(created: Database) -> str:
    """The DSN of a new, empty database, dropped after the test."""
    return created.dsn


def pytest_configure() -> None:
    """Restore the signals that a shell ignores in background jobs: tests send them to child processes."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            handler = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, handler)


def pytest_xdist_auto_num_workers() -> int:
    """Two workers per processor: half of the time a test waits for a server, a lock or a child process."""
    return 2 * len(os.sched_getaffinity(0))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report how many runs were interrupted, on which servers, and whether anything was lost."""
    reports = [
        (report, dict(report.user_properties).get("kill matrix"))
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        if getattr(report, "when", "") == "call"
    ]
    cases = [(report.failed, tuple(case)) for report, case in reports if case]
    if cases:
        failed = sum(bad for bad, _ in cases)
        majors, commands, kinds, ways = (sorted({case[index] for _, case in cases}) for index in range(4))
        terminalreporter.write_line(
            f"kill matrix: {len(cases):,} cases ({', '.join(ways)}; {' and '.join(commands)}; "
            f"{' and '.join('transactional' if kind else 'non-transactional' for kind in reversed(kinds))}; "
            f"servers {', '.join(map(str, majors))}), "
            + (f"{failed:,} went wrong" if failed else "none lost anything")
        )
