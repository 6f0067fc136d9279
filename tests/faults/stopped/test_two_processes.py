"""Several processes that migrate at once, and one that continues after a killed one."""

from __future__ import annotations

import pytest

ALL = list(range(1, 20))


@pytest.mark.parametrize("count", [2, 8])
def test_several_processes_apply_every_migration_exactly_once(
    here, database, spawn, stage, count: int
) -> None:
    first = stage(database, "row fill 1")
    others = [spawn(database) for _ in range(count - 1)]

    first.open()
    ended = [process.wait() for process in (first.process, *others)]

    assert ended == [0] * count
    assert sorted(version for process in (first.process, *others) for version in process.finished) == ALL
    assert here.again(database, "up") == here.holdings("up")


@pytest.mark.parametrize(
    ("point", "version"),
    [
        ("insert apply 6", 6),
        ("ddl_command_end 7.0.1", 8),
        ("row three 25", 8),
        ("ddl_command_end 15.0.1", 16),
    ],
)
def test_a_process_waits_for_the_end_of_the_statement_of_a_killed_one(
    here, database, spawn, stage, point, version
) -> None:
    running = stage(database, point)
    running.process.kill()

    successor = spawn(database)
    gone = "select where not exists (select from pg_stat_activity where pid = %(pid)s)"
    running.wait_for(gone, running=False, pid=running.pid)
    running.open()

    assert successor.wait() == 0
    assert successor.finished == ALL[version - 1 :]
    assert here.again(database, "up") == here.holdings("up")
