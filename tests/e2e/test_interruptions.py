"""Interrupted runs: their errors, and the same result after the next run."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from aigym_db.database.servers.databases import create_database
from aigym_db.database.servers.local import LocalServer, local
from tests.support.waiting import PROCESS_TIMEOUT_S, wait_until

WAITING = "select 1 from pg_locks where locktype = 'advisory' and objid = 777 and not granted"
SLOW = "create table app.labels (name text);\nselect pg_advisory_xact_lock_shared(777);"


@pytest.fixture
def undisturbed(shop, another_database: str, holdings) -> object:
    """The result of the migrations without interruption; the third waits for the advisory lock 777."""
    shop.migration("0003_slow", SLOW, "drop table app.labels;")
    shop.migration("0004_more", "create index labels_name_idx on app.labels (name);")
    shop("freeze")
    assert shop("--database", another_database, "migrate").status == 0
    return holdings(another_database)[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_the_run_with_130_and_the_next_run_resumes(
    shop, migrated, undisturbed, spawn, wait_for, holdings, number: signal.Signals
) -> None:
    held = holdings(migrated)
    with closing(psycopg.connect(migrated, autocommit=True)) as gate:
        gate.execute("select pg_advisory_lock(777)")
        running = spawn(shop.folder, "--database", migrated, "migrate")
        wait_for(gate, WAITING)
        running.send_signal(number)
        out, err = running.communicate(timeout=PROCESS_TIMEOUT_S)

    assert (running.returncode, out) == (130, "")
    assert f"error AIG-I001 Stopped by {number.name}. 0003 slow was cancelled and rolled back." in err
    assert "  hint: Run the command again to continue." in err
    assert holdings(migrated) == held
    assert shop("--database", migrated, "migrate").out.splitlines()[-1] == "2 applied."
    assert holdings(migrated)[0] == undisturbed


@pytest.fixture
def durable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A server of its own, which keeps its data when it ends."""
    folder = tmp_path_factory.mktemp("durable")
    running = local(folder)
    running.start()
    yield running
    running.stop()
    shutil.rmtree(folder)


def test_a_server_that_stops_in_the_middle_is_named_and_the_next_run_resumes(
    shop, durable: LocalServer, undisturbed, spawn, wait_for, holdings
) -> None:
    dsn = create_database(durable.server()).dsn
    shop("--database", dsn, "migrate", "--to", "2")
    held = holdings(dsn)
    with closing(psycopg.connect(dsn, autocommit=True)) as gate:
        gate.execute("select pg_advisory_lock(777)")
        running = spawn(shop.folder, "--database", dsn, "migrate")
        wait_for(gate, WAITING)
        stop_at_once(durable)
        out, err = running.communicate(timeout=PROCESS_TIMEOUT_S)
    durable.start()

    assert (running.returncode, "applied" in out) == (4, False)
    assert "error AIG-S003 The connection to the server was lost." in err
    assert "  hint: Run the command again" in err
    assert "Traceback" not in err
    assert holdings(dsn) == held
    assert shop("--database", dsn, "migrate").out.splitlines()[-1] == "2 applied."
    assert holdings(dsn)[0] == undisturbed


def stop_at_once(running: LocalServer) -> None:
    """Ends the server as `pg_ctl stop -m immediate` does."""
    folder = running.server().folder
    os.kill(int(Path(folder, "postmaster.pid").read_text().splitlines()[0]), signal.SIGQUIT)


def test_two_concurrent_up_commands_in_a_new_project_succeed(stopped_shop, spawn) -> None:
    both = [spawn(stopped_shop.folder, "up"), spawn(stopped_shop.folder, "up")]

    outputs = [process.communicate(timeout=PROCESS_TIMEOUT_S) for process in both]

    assert [process.returncode for process in both] == [0, 0], outputs


def test_up_succeeds_after_it_was_killed_during_the_creation_of_the_server(stopped_shop, spawn) -> None:
    first = spawn(stopped_shop.folder, "up")
    wait_until((stopped_shop.folder / ".aigym-db/lock").exists, "a lock file")
    first.kill()
    first.communicate()

    seen = stopped_shop("server", "start")

    assert (seen.status, seen.err) == (0, "")
