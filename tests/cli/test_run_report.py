"""The reported result of a run, as text and JSON, also of an interrupted run."""

from __future__ import annotations

import io
import json
import signal

import psycopg
import pytest

from aigym_db.migrate.observer import Notice
from aigym_db.model.migration import Migration, Part
from aigym_db.model.source import Source
from aigym_db.report.progress import Watching
from aigym_db.report.result import Report
from tests.support.waiting import PROCESS_TIMEOUT_S

SOURCE = Source("migrations/0001_notes.sql", "select 1")
NOTES = Migration(1, "notes", SOURCE.file, Part(SOURCE, 0, 8), None, "because", "sum")


def test_a_failed_run_lists_applied_migrations(steps) -> None:
    steps.step(3, "select 1 / 0;")

    code, out, _ = steps.run("--format", "json", "migrate")

    document = json.loads(out)
    assert (code, steps.applied()) == (4, [1, 2])
    assert [(row["version"], row["name"]) for row in document["applied"]] == [(1, "step"), (2, "step")]
    assert document["applied"][0].keys() == {"version", "name", "duration_ms", "lock_wait_ms"}


def test_a_failed_rollback_lists_rolled_back_migrations(migrated) -> None:
    with psycopg.connect(migrated.dsn) as connection:
        connection.execute("create view kept as select * from step_3")

    code, out, _ = migrated.run("--format", "json", "rollback", "--to", "0", "--yes")

    assert (code, migrated.applied()) == (4, [1, 2, 3])
    assert [row["version"] for row in json.loads(out)["rolled_back"]] == [4]


def test_a_stopped_run_lists_applied_migrations(steps, wait_for_the_gate) -> None:
    steps.step(3, "select pg_advisory_xact_lock(4711);")

    with psycopg.connect(steps.dsn, autocommit=True) as holder:
        holder.execute("select pg_advisory_lock(4711)")
        popen = steps.start("--format", "json", "migrate")
        wait_for_the_gate(holder)
        popen.send_signal(signal.SIGTERM)
        out, _ = popen.communicate(timeout=PROCESS_TIMEOUT_S)

    assert (popen.returncode, steps.applied()) == (130, [1, 2])
    assert [row["version"] for row in json.loads(out)["applied"]] == [1, 2]


def test_a_rollback_without_migrations_prints_the_current_version(steps) -> None:
    assert steps.run("migrate", "--to", "2")[0] == 0

    assert steps.run("rollback", "--to", "2")[:2] == (
        0,
        "Nothing to roll back: the database is at 0002 step.\n",
    )


@pytest.mark.parametrize("words", [(), ("--to", "0")], ids=" ".join)
def test_a_rollback_of_an_empty_database_reports_no_applied_migrations(steps, words) -> None:
    assert steps.run("rollback", *words)[:2] == (0, "Nothing to roll back: no migration is applied.\n")


def test_a_rollback_that_resolves_a_migration_does_not_report_an_empty_ledger(steps) -> None:
    steps.step(2, "create table again (x int);\ncreate table again (x int);", " transaction:false")
    assert steps.run("migrate")[0] == 7

    code, out, _ = steps.run("rollback", "--resolve", "done")

    assert (code, steps.applied()) == (0, [1])
    assert out.splitlines()[-1] == "No migration was rolled back."


def test_every_line_of_a_notice_is_indented_and_shows_no_controls() -> None:
    log = io.StringIO()

    Watching(Report(out=log, err=log)).notice(
        NOTES, Notice("NOTICE", "one\ntwo\x1b[2J", detail="three\nfour", hint="five\nsix")
    )

    assert log.getvalue().splitlines() == [
        "  notice: one",
        "    two\N{REPLACEMENT CHARACTER}[2J",
        "    three",
        "    four",
        "    five",
        "    six",
    ]
