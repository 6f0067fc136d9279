"""SIGINT, SIGTERM and SIGHUP: exit status 130, a fail event, no orphaned session."""

from __future__ import annotations

import signal

import pytest

HOLD = "select pg_advisory_xact_lock_shared(777);"
NUMBERS = pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
)
OURS = "select count(*) from pg_stat_activity where application_name = 'aigym-db'"
LAST = (
    "select concat_ws(' ', kind, version, detail ->> 'code') from aigym_db.event where kind = 'fail' "
    "order by id desc limit 1"
)


def no_session_remains(other) -> bool:
    other.wait_for(OURS, answered=False)
    return bool(
        other.one("select count(*) = 0 from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()")
    )


@NUMBERS
def test_a_signal_during_the_wait_for_the_runner_lock(project, other, visit, number: signal.Signals) -> None:
    project.migration("0001_gate", HOLD)
    other.shut_gate()
    first = project.start("migrate")
    other.wait_at_gate()
    waiting = project.start("migrate")
    waiting.output_until("waiting for another aigym-db run")

    waiting.send_signal(number)
    seen = waiting.result()

    assert (seen.status, f"error AIG-I001 Stopped by {number.name}." in seen.out) == (130, True)
    assert other.one(LAST) is None
    other.open_gate()
    assert first.result().status == 0
    assert no_session_remains(other)


@NUMBERS
@pytest.mark.parametrize("options", ["", "transaction:false"], ids=["transactional", "non-transactional"])
def test_a_signal_during_a_statement(project, other, number: signal.Signals, options: str) -> None:
    project.migration("0001_table", "create table a (x int);")
    project.migration("0002_gate", f"insert into a values (1);\n{HOLD}", options=options)
    other.shut_gate()
    running = project.start("migrate")
    other.wait_at_gate()

    running.send_signal(number)
    seen = running.result()

    assert (seen.status, f"error AIG-I001 Stopped by {number.name}." in seen.out) == (130, True)
    assert other.one(LAST) == "fail 2 AIG-I001"
    assert other.all("select x from a") == ([1] if options else [])
    assert no_session_remains(other)


@NUMBERS
@pytest.mark.parametrize("options", ["", "transaction:false"], ids=["transactional", "non-transactional"])
def test_a_signal_between_two_lock_attempts(
    project, other, visit, number: signal.Signals, options: str
) -> None:
    project.setting("lock_timeout_ms = 50")
    project.migration("0001_table", "create table a (x int);")
    project.run("migrate")
    project.migration("0002_column", "alter table a add column y int;", options=options)
    reader = visit(project.dsn)
    reader.execute("begin; select * from a")
    running = project.start("migrate")
    running.output_until("lock timeout; retrying")

    running.send_signal(number)
    seen = running.result()

    assert (seen.status, f"error AIG-I001 Stopped by {number.name}" in seen.out) == (130, True)
    assert other.one(LAST) == "fail 2 AIG-I001"
    assert other.one("select count(*) from aigym_db.event where kind = 'fail'") == 1
    assert no_session_remains(other)


BETWEEN = """
import os, signal, sys
from pathlib import Path
from aigym_db.errors import AigymError
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.observer import Observer
from aigym_db.project.config import Project
from aigym_db.project.migrations import migrations

class Signalling(Observer):
    def finished(self, finished):
        if finished.migration.version == 1:
            os.kill(os.getpid(), int(sys.argv[3]))

try:
    migrate(sys.argv[1], migrations(Project(Path(sys.argv[2]))), observer=Signalling())
except AigymError as error:
    print(error.message, error.detail)
    sys.exit(error.exit_status)
"""


@NUMBERS
@pytest.mark.parametrize("options", ["", "transaction:false"], ids=["transactional", "non-transactional"])
def test_a_signal_between_two_migrations(
    project, other, program, number: signal.Signals, options: str
) -> None:
    project.migration("0001_table", "create table a (x int);")
    project.migration("0002_row", "insert into a values (1);", options=options)

    seen = program(BETWEEN, project.dsn, str(project.folder), str(int(number)))

    assert seen.status == 130
    assert seen.out == f"Stopped by {number.name} before 0002 row. Committed before that: 0001.\n"
    assert other.one(LAST) == "fail 2 AIG-I001"
    assert (other.applied(), other.all("select x from a")) == ([1], [])
    assert no_session_remains(other)


@NUMBERS
def test_a_signal_ignored_at_process_start_stays_ignored(project, other, number: signal.Signals) -> None:
    project.migration("0001_gate", HOLD)
    project.migration("0002_table", "create table a (x int);")
    other.shut_gate()
    before = signal.signal(number, signal.SIG_IGN)
    try:
        running = project.start("migrate")
    finally:
        signal.signal(number, before)
    other.wait_at_gate()

    running.send_signal(number)
    other.open_gate()

    assert running.result().status == 0
    assert other.applied() == [1, 2]


def test_a_second_signal_ends_the_run_at_once_without_an_orphaned_session(project, other) -> None:
    stubborn = (
        "do $$ begin loop begin perform pg_sleep(600); exception when query_canceled then "
        "perform pg_advisory_xact_lock_shared(777); end; end loop; end $$;"
    )
    project.migration("0001_table", "create table a (x int);")
    project.migration("0002_stubborn", f"insert into a values (1);\n{stubborn}")
    other.shut_gate()
    running = project.start("migrate")
    other.wait_for("select pid from pg_stat_activity where wait_event = 'PgSleep'")

    running.send_signal(signal.SIGINT)
    other.wait_at_gate()
    running.send_signal(signal.SIGINT)
    seen = running.result()

    assert (seen.status, seen.out.splitlines()[-1]) == (130, "Interrupted.")
    assert no_session_remains(other)
    assert (other.applied(), other.all("select x from a")) == ([1], [])
