"""Signals during a command that has no handler of its own, and commands that do not end."""

from __future__ import annotations

import signal
import subprocess
import sys

import psutil
import psycopg
import pytest

from tests.support.command import RunningCommand
from tests.support.waiting import wait_for_row

SIGNALLED = """
import os, sys
from aigym_db.cli.commands import test
from aigym_db.cli.main import run

test.command.callback = lambda **_: os.kill(os.getpid(), int(sys.argv[1]))
run(["test"])
"""
EXECUTING = """
import sys
from aigym_db.access.distribution import distribute
from aigym_db.cli.commands import test
from aigym_db.cli.main import run
from aigym_db.database.connect import connect

def callback(**_):
    with connect(sys.argv[1], autocommit=True) as connection:
        sleep = "select pg_sleep(600)"
        list(distribute([connection], [sleep, sleep], lambda free, statement: free.execute(statement)))

test.command.callback = callback
run(["test"])
"""
WAITING = (
    "select from pg_catalog.pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"
)
ENDLESS = "import time; print('begun', flush=True); time.sleep(600)"


def begun(program: str, *arguments: str) -> RunningCommand:
    return RunningCommand(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_interrupts_every_command(number: signal.Signals) -> None:
    seen = begun(SIGNALLED, str(int(number))).result()

    assert (seen.status, seen.out + seen.err) == (130, "Interrupted.\n")


def test_a_signal_cancels_the_statements_that_are_executed_side_by_side(database: str) -> None:
    command = begun(EXECUTING, database)
    with psycopg.connect(database, autocommit=True) as watcher:
        wait_for_row(watcher, WAITING)
        command.send_signal(signal.SIGTERM)
        seen = command.result()

        assert (seen.status, seen.out + seen.err) == (130, "Interrupted.\n")
        assert watcher.execute(WAITING).fetchall() == []


def test_a_command_that_does_not_end_is_killed() -> None:
    command = begun(ENDLESS)
    assert command.stdout is not None

    with pytest.raises(AssertionError, match=r"still running after 1.0 s, with the output\nbegun"):
        command.result(1.0)

    assert command.returncode == -signal.SIGKILL
    assert command.stdout.closed
    assert not psutil.pid_exists(command.pid)
