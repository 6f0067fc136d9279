"""Interrupted backfills: signals, ended sessions, server crashes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.database.servers import process
from aigym_db.database.servers.databases import create_database
from aigym_db.database.servers.local import LocalServer, local
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.observer import Observer, Progress
from aigym_db.model.migration import Migration
from tests.support.waiting import PROCESS_TIMEOUT_S, wait_until

RUNNER = """
import sys
from pathlib import Path
from aigym_db.errors import AigymError
from aigym_db.migrate.apply import migrate
from aigym_db.project.config import Project
from aigym_db.project.migrations import migrations
try:
    for done in migrate(sys.argv[1], migrations(Project(Path(sys.argv[2])))):
        print("finished", done.migration.version)
except AigymError as error:
    print(error)
    print(error.detail)
    sys.exit(error.exit_status)
"""


class BlockedRun:
    """A process that runs a backfill and waits for a row locked by the test."""

    def __init__(
        self, database: str, folder: Path, other: psycopg.Connection, line: tuple[Migration, ...]
    ) -> None:
        self.database, self.folder, self.other, self.line = database, folder, other, line
        (folder / "migrations").mkdir()
        for migration in line:
            source = migration.up.source
            (folder / source.file).write_text(source.text)
        migrate(database, line, to=1)
        self.locker = psycopg.connect(database)
        self.locker.execute("select from o where id = 3000 for update")
        self.process = self.start()
        try:
            wait_until(self.is_waiting, "waiting for the row")
        except BaseException:
            self.close()
            raise

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", RUNNER, self.database, str(self.folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONWARNINGS": "error"},
        )

    def is_waiting(self) -> bool:
        return bool(self.backends())

    def backends(self) -> list[int]:
        """Return the pids of the sessions that wait for the row."""
        parameters = {"pid": self.locker.info.backend_pid}
        rows = self.other.execute(
            "select pid from pg_stat_activity where %(pid)s = any (pg_blocking_pids(pid))", parameters
        )
        return [pid for (pid,) in rows]

    def changed(self) -> int:
        return self.other.execute("select count(*) from o where n = 1").fetchone()[0]

    def close(self) -> None:
        self.locker.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def blocked(database, tmp_path, other, table, backfill) -> Iterator[BlockedRun]:
    run = BlockedRun(database, tmp_path, other, (table, backfill(options=" batch:500 lock_timeout:60s")))
    yield run
    run.close()


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_a_batch_keeps_the_previous_batches_and_the_next_run_resumes(
    other, blocked, counts, stop
) -> None:
    changed = blocked.changed()

    blocked.process.send_signal(stop)
    output, _ = blocked.process.communicate(timeout=PROCESS_TIMEOUT_S)
    status = blocked.process.returncode
    wait_until(lambda: not blocked.is_waiting(), "the end of the killed statement", polls=200)
    blocked.locker.rollback()

    assert status == (-9 if stop is signal.SIGKILL else 130)
    assert (f"Stopped by {stop.name}" in output) == (stop is not signal.SIGKILL)
    assert (f"{changed:,} rows are changed and remain so" in output) == (stop is not signal.SIGKILL)
    assert (f"{changed:,} rows of 0002 step_2, which stay." in output) == (stop is not signal.SIGKILL)
    assert 0 < changed == blocked.changed() < 3000
    migrate(blocked.database, blocked.line)
    assert counts(other) == [(1, 5000)]
    assert [row.version for row in ledger.applied(other)] == [1, 2]


def test_a_terminated_backend_keeps_the_previous_batches_and_the_next_run_resumes(
    other, blocked, counts
) -> None:
    changed = blocked.changed()

    other.execute("select pg_terminate_backend(%s)", blocked.backends())
    output, _ = blocked.process.communicate(timeout=PROCESS_TIMEOUT_S)
    blocked.locker.rollback()

    assert blocked.process.returncode == 4
    assert "its last batch is committed or rolled back" in output
    assert blocked.changed() == changed
    migrate(blocked.database, blocked.line)
    assert counts(other) == [(1, 5000)]


def test_of_two_concurrent_runs_only_one_changes_the_rows(other, blocked, counts) -> None:
    second = blocked.start()

    blocked.locker.rollback()
    first_output, _ = blocked.process.communicate(timeout=PROCESS_TIMEOUT_S)
    second_output, _ = second.communicate(timeout=PROCESS_TIMEOUT_S)

    assert (blocked.process.returncode, second.returncode) == (0, 0)
    assert (first_output + second_output).count("finished 2") == 1
    assert counts(other) == [(1, 5000)]


class Crashing(Observer):
    """Crash the server once, between two batches or during one, and restart it."""

    def __init__(self, server: LocalServer, when: str, other: psycopg.Connection) -> None:
        self.server, self.when, self.other = server, when, other
        self.waits: list[str] = []
        self.batches = 0
        self.crashed_at = 0

    def crash(self) -> None:
        if not self.crashed_at:
            self.crashed_at = self.batches
            (folder,) = self.other.execute("show data_directory").fetchone()
            process.kill(Path(folder))
            self.server.start()

    def progress(self, migration: Migration, progress: Progress) -> None:
        self.batches += 1
        if self.batches == 3 and self.when == "between two batches":
            self.crash()
        if self.batches == 3 and self.when == "during a batch":
            self.other.execute("begin; select from o where id = 3000 for update")

    def waiting(self, waiting) -> None:
        self.waits.append(waiting.reason)
        if waiting.reason == "lock":
            self.crash()


@pytest.mark.parametrize("when", ["between two batches", "during a batch"])
def test_a_run_resumes_after_a_crash_of_the_server(table, backfill, counts, tmp_path, when) -> None:
    server = local(tmp_path)
    server.start()
    try:
        dsn = create_database(server.server()).dsn
        line = (table, backfill())
        migrate(dsn, line, to=1)
        with closing(psycopg.connect(dsn, autocommit=True)) as other:
            observer = Crashing(server, when, other)
            migrate(dsn, line, observer=observer)

        with psycopg.connect(dsn) as connection:
            assert counts(connection) == [(1, 5000)]
            assert [row.version for row in ledger.applied(connection)] == [1, 2]
        assert observer.crashed_at >= 3
        assert "server" in observer.waits
    finally:
        server.stop()
