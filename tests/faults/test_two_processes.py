"""Several migrating processes at once, and one that takes over from a killed one."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("count", [2, 8])
def test_several_processes_apply_every_migration_exactly_once(
    database, spawn, stage, undisturbed, count: int
) -> None:
    first = stage(("0001_accounts", 1))
    first.wait_for_barrier()
    others = [spawn(first.dsn, first.folder) for _ in range(count - 1)]

    first.open_barrier()
    outputs = [process.output for process in (first.process, *others)]

    assert sorted(line for output in outputs for line in output.splitlines()) == [
        f"finished {version}" for version in range(1, 7)
    ]
    assert first.run_again() == undisturbed


def test_a_process_that_starts_while_the_killed_ones_statement_still_runs_waits_for_its_end(
    spawn, stage, undisturbed
) -> None:
    running = stage(("0002_interest", 2))
    pid = running.wait_for_barrier()
    running.process.kill()

    successor = spawn(running.dsn, running.folder)
    running.wait_for_end_of(pid)
    running.open_barrier()

    assert successor.output.splitlines() == [f"finished {version}" for version in range(2, 7)]
    assert running.run_again() == undisturbed
