"""A server that stops at once in the middle of a migration, as in a crash, and comes up again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from aigym_db.database.servers import LocalServer, create_database, local


@pytest.fixture
def durable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A server that keeps its data when it ends."""
    running = local(tmp_path_factory.mktemp("durable"))
    running.start()
    yield running
    running.stop()


def crash(connection: psycopg.Connection) -> None:
    """Ends the server without a checkpoint, and waits until it is gone."""
    (folder,) = connection.execute("show data_directory").fetchone()
    pid = int(Path(folder, "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGQUIT)


@pytest.mark.parametrize(
    "boundary",
    [("0001_accounts", 3), ("0002_interest", 1), ("0003_indexes", 1), ("0003_indexes", 3), ("0006_last", 1)],
    ids=lambda boundary: f"{boundary[0]}-{boundary[1]}",
)
def test_after_a_crash_of_the_server_the_next_run_ends_where_an_undisturbed_one_does(
    durable, stage_on, undisturbed, boundary
) -> None:
    dsn = create_database(durable.server())
    with stage_on(dsn, boundary) as running:
        running.wait_for_barrier()
        crash(running.gate)
        output = running.process.output

    durable.start()

    assert "connection to the server was lost" in output
    assert running.run_again() == undisturbed
