"""A run interrupted at any point, in any way: the next run ends in the state of an undisturbed one."""

from __future__ import annotations

from contextlib import ExitStack, closing

import psycopg
import pytest
from psycopg.conninfo import make_conninfo


@pytest.fixture
def holder():
    """Open a session that holds a lock on a table, or a snapshot."""
    with ExitStack() as stack:

        def holding(dsn, point):
            superuser = make_conninfo(dsn, user="postgres", application_name="holder")
            session = stack.enter_context(closing(psycopg.connect(superuser)))
            session.execute(
                "set transaction isolation level repeatable read"
                if point.held == "snapshot"
                else f"lock table {point.table} in {point.held} mode"
            )
            session.execute("select")
            return session

        yield holding


def test_after_an_interruption_the_next_run_ends_in_the_state_of_an_undisturbed_run(
    ground, stage, holder, case, record_property
) -> None:
    record_property("kill matrix", [case.major, case.command, case.point.transactional, case.way])
    here = ground(case.server)
    with here.database(case.direction, case.user) as dsn:
        running = stage(dsn, case.point.name, case.direction, check_interval_ms=20)
        holding = holder(dsn, case.point) if case.point.held else None
        if holding:
            running.open()
            running.wait_until_stopped_by(holding)

        running.end(case.way, here.server.crash)

        if holding:
            holding.close()
        running.gate.close()
        applied = running.applied()
        assert applied == list(range(1, len(applied) + 1)), "a hole"
        reported = set() if case.way == "immediate stop" else set(running.process.finished)
        wrong = reported - set(applied) if case.command == "migrate" else reported & set(applied)
        assert not wrong, "reported as finished, but not committed"
        assert here.again(dsn, case.direction) == here.holdings(case.direction, case.user)
