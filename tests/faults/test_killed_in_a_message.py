"""A migrating process that ends between or within migrations that went to the server in one message."""

from __future__ import annotations

import signal

import pytest

IN_THE_MIDDLE = pytest.mark.parametrize(
    "boundary", [("0007_check", 0), ("0007_check", 1), ("0008_unique", 2)], ids=["before", "within", "behind"]
)


def before(boundary: tuple[str, int]) -> list[int]:
    """The versions that are committed when a runner stands at a boundary."""
    return list(range(1, int(boundary[0][:4])))


def applied(running) -> list[int]:
    rows = running.gate.execute("select version from aigym_db.applied order by version")
    return [row[0] for row in rows]


def in_one_message(running, pid: int) -> bool:
    """Whether the message that a backend is at also held the migration before."""
    before = "(select max(applied_at) from aigym_db.applied)"
    question = f"select query_start < {before} from pg_stat_activity where pid = %s"
    return running.gate.execute(question, [pid]).fetchone()[0]


def finished(output: str) -> list[int]:
    return [int(line.split()[1]) for line in output.splitlines() if line.startswith("finished")]


def test_after_kill_nine_those_before_are_committed_and_the_next_run_does_the_rest(
    stage_of_definitions, undisturbed_definitions, any_boundary_in_a_message
) -> None:
    running = stage_of_definitions(any_boundary_in_a_message)
    pid = running.wait_for_barrier()
    committed = applied(running)

    running.process.kill()
    running.wait_for_end_of(pid)

    assert applied(running) == committed == before(any_boundary_in_a_message)
    assert running.run_again() == undisturbed_definitions


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
@IN_THE_MIDDLE
def test_a_signal_cancels_the_one_that_runs_and_tells_of_those_before(
    stage_of_definitions, undisturbed_definitions, boundary, stop
) -> None:
    running = stage_of_definitions(boundary)
    pid = running.wait_for_barrier()
    assert in_one_message(running, pid)

    running.process.popen.send_signal(stop)
    output = running.process.output

    assert running.process.popen.returncode == 130
    assert f"Stopped by {stop.name}. {int(boundary[0][:4]):04d}" in output
    assert finished(output) == applied(running) == before(boundary)
    last = running.gate.execute(
        "select kind::text, version, detail ->> 'code' from aigym_db.event order by id desc limit 1"
    ).fetchone()
    assert last == ("fail", int(boundary[0][:4]), "AIG-I001")
    assert running.run_again() == undisturbed_definitions


@IN_THE_MIDDLE
def test_a_terminated_backend_leaves_those_before_and_says_what_is_certain(
    stage_of_definitions, undisturbed_definitions, boundary
) -> None:
    running = stage_of_definitions(boundary)
    pid = running.wait_for_barrier()

    running.gate.execute("select pg_terminate_backend(%s, 5000)", [pid])
    output = running.process.output

    assert "either wholly applied or not at all" in output
    assert finished(output) == applied(running)[: len(finished(output))]
    assert applied(running) == before(boundary)
    assert running.run_again() == undisturbed_definitions


def test_a_process_that_takes_over_within_a_message_waits_for_the_killed_ones_session(
    spawn, stage_of_definitions, undisturbed_definitions
) -> None:
    running = stage_of_definitions(("0007_check", 1))
    pid = running.wait_for_barrier()
    running.process.kill()

    successor = spawn(running.dsn, running.folder)
    running.wait_for_end_of(pid)
    running.open_barrier()

    assert finished(successor.output) == [7, 8]
    assert running.run_again() == undisturbed_definitions
