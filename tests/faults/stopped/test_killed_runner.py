"""The output and the state of an interrupted run, and the run that follows."""

from __future__ import annotations

import re
import signal
from contextlib import closing

import psycopg
import pytest

IN_EVERY_KIND = pytest.mark.parametrize(
    ("point", "version"),
    [("row double 25", 6), ("row three 25", 8), ("ddl_command_start 15.0.1", 16), ("insert apply 17", 17)],
    ids=["transactional", "non-transactional", "in a message", "at its end"],
)
IN_A_MESSAGE = pytest.mark.parametrize(
    ("point", "version"),
    [("ddl_command_start 15.0.1", 16), ("ddl_command_start 15.0.2", 16), ("insert apply 17", 17)],
    ids=["before", "within", "after"],
)


@IN_A_MESSAGE
def test_these_points_are_in_a_message_of_several_files(database, stage, point, version) -> None:
    running = stage(database, point)

    query = (
        "select query_start < (select max(applied_at) from aigym_db.applied) "
        "from pg_stat_activity where pid = %s"
    )
    assert running.gate.execute(query, [running.pid]).fetchone() == (True,)
    assert running.applied() == list(range(1, version))


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
@IN_EVERY_KIND
def test_a_signal_cancels_the_statement_and_is_recorded_in_the_ledger(
    here, database, stage, point, version, stop
) -> None:
    running = stage(database, point)

    running.process.send_signal(stop)

    assert running.process.wait() == 130
    statement = {8: r"Statement \d of "}.get(version, "")
    assert re.search(rf"Stopped by {stop.name}\. {statement}{version:04d}", running.process.output)
    assert running.process.finished == running.applied() == list(range(1, version))
    last = running.gate.execute(
        "select kind::text, version, detail ->> 'code' from aigym_db.event order by id desc limit 1"
    ).fetchone()
    assert last == ("fail", version, "AIG-I001")
    running.open()
    assert here.again(database, "up") == here.holdings("up")


@IN_EVERY_KIND
def test_a_terminated_backend_is_reported_with_the_applied_migrations(
    here, database, stage, point, version
) -> None:
    running = stage(database, point)

    running.gate.execute("select pg_terminate_backend(%s, 5000)", [running.pid])
    running.open()

    assert "connection to the server was lost" in running.process.output
    assert running.process.wait() in (4, 7)
    assert running.applied() == list(range(1, version))
    assert here.again(database, "up") == here.holdings("up")


SLEEPS = """
create or replace function gate.come(here text) returns void
language plpgsql set search_path = pg_catalog as $$
begin
  perform from gate.target where point = here;
  if found then
    perform pg_sleep(60);
  end if;
end $$
"""


@pytest.mark.parametrize("point", ["row double 25", "row three 25", "ddl_command_end 14.0.2"])
def test_a_long_statement_of_a_killed_runner_is_cancelled_by_the_server(here, database, stage, point) -> None:
    running = stage(database, "insert start")
    running.gate.execute(SLEEPS)
    running.gate.execute("update gate.target set point = %s", [point])
    running.open()
    running.wait_for("select from pg_stat_activity where wait_event = 'PgSleep'")

    running.process.kill()
    running.wait_until_gone(polls=200)

    running.gate.execute("truncate gate.target")
    assert here.again(database, "up") == here.holdings("up")


@pytest.mark.parametrize(
    ("point", "lock"),
    [
        ("insert apply 13", "app.notes in access share mode"),
        ("commit intent 8 1", "app.accounts in row exclusive mode"),
        ("commit intent 9 2", "app.accounts in access share mode"),
        ("commit intent 8 4", "app.accounts in share update exclusive mode"),
        ("commit intent 13 1", "app.measures in access share mode"),
    ],
    ids=["alter table", "create index", "reindex", "vacuum", "detach"],
)
def test_a_statement_of_a_killed_runner_that_waits_is_cancelled_by_the_server(
    here, database, stage, point, lock
) -> None:
    running = stage(database, point)
    with closing(psycopg.connect(database, application_name="holder")) as holder:
        holder.execute(f"lock table {lock}")
        running.open()
        running.wait_until_stopped_by(holder)

        running.process.kill()
        running.wait_until_gone(polls=200)

    assert here.again(database, "up") == here.holdings("up")
