"""A migrating process that ends without warning, at every boundary between two statements."""

from __future__ import annotations

import signal
import time

import psycopg
import pytest

IN_BOTH_KINDS = pytest.mark.parametrize(
    "boundary", [("0002_interest", 1), ("0003_indexes", 2)], ids=["inside", "outside"]
)


def test_after_kill_nine_at_any_boundary_the_next_run_ends_where_an_undisturbed_one_does(
    stage, undisturbed, any_boundary
) -> None:
    running = stage(any_boundary)
    running.wait_for_barrier()

    running.process.kill()

    assert running.run_again() == undisturbed


@IN_BOTH_KINDS
def test_the_statement_of_a_killed_runner_is_gone_in_less_than_two_seconds(
    stage, undisturbed, boundary
) -> None:
    running = stage(boundary)
    pid = running.wait_for_barrier()

    running.process.kill()
    began = time.monotonic()
    running.wait_for_end_of(pid)

    assert time.monotonic() - began < 2
    assert running.run_again() == undisturbed


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
@IN_BOTH_KINDS
def test_a_signal_cancels_rolls_back_and_is_remembered(stage, undisturbed, boundary, stop) -> None:
    running = stage(boundary)
    running.wait_for_barrier()

    running.process.popen.send_signal(stop)
    output = running.process.output

    assert running.process.popen.returncode == 130
    assert f"Stopped by {stop.name}" in output
    last = running.gate.execute(
        "select kind::text, detail ->> 'code' from aigym_db.event order by id desc limit 1"
    ).fetchone()
    assert last == ("fail", "AIG-I001")
    assert running.run_again() == undisturbed


def test_killed_while_an_index_is_being_built_the_next_run_builds_it_anew(stage, undisturbed) -> None:
    running = stage(("0003_indexes", 0))
    running.wait_for_barrier()
    with psycopg.connect(running.dsn) as writer:
        writer.execute("lock table app.accounts in row exclusive mode")
        running.open_barrier()
        (pid,) = running.wait_for("select pid from pg_stat_progress_create_index where phase like 'waiting%'")
        running.process.kill()
        running.wait_for_end_of(pid)
    half = "select indisvalid from pg_index where indexrelid = to_regclass('app.accounts_balance_idx')"
    assert running.gate.execute(half).fetchone() == (False,)

    assert running.run_again() == undisturbed


@IN_BOTH_KINDS
def test_a_terminated_backend_leaves_nothing_stuck(stage, undisturbed, boundary) -> None:
    running = stage(boundary)
    pid = running.wait_for_barrier()

    running.gate.execute("select pg_terminate_backend(%s, 5000)", [pid])
    output = running.process.output

    assert "connection to the server was lost" in output
    assert running.run_again() == undisturbed
