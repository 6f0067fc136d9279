"""Killed runners, concurrent runners, and runners that wait for locks."""

from __future__ import annotations

import re
import signal
import time

import pytest

HOLD = "select pg_advisory_xact_lock_shared(777);"
BUSY = (
    "do $$ begin while exists (select from pg_locks where locktype = 'advisory' and objid = 777 and granted) "
    "loop end loop; end $$;"
)
STATEMENTS = {"that waits": HOLD, "that is at work": BUSY}
AT_IT = (
    "select pid from pg_stat_activity "
    "where application_name = 'aigym-db' and state = 'active' and query like '%777%'"
)


@pytest.mark.promise("`kill -9` or SIGTERM of the runner: the server statement runs on")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
@pytest.mark.parametrize("options", ["", "transaction:false"], ids=["transactional", "non-transactional"])
def test_the_server_statement_of_a_killed_runner_ends_in_under_two_seconds(
    project, other, number: signal.Signals, statement: str, options: str
) -> None:
    project.migration("0001_table", "create table a (x int);")
    project.migration("0002_half", f"insert into a values (1);\n{statement}", options=options)
    other.shut_gate()
    running = project.start("migrate")
    pid = other.wait_for(AT_IT)

    running.send_signal(number)
    other.wait_for(f"select pid from pg_stat_activity where pid = {pid}", answered=False, polls=200)
    running.result()

    kept = [1] if options else []
    assert (other.applied(), other.all("select x from a")) == ([1], kept)
    assert other.all("select pid from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()") == []
    other.open_gate()
    seen = project.run("migrate")
    assert (seen.status, seen.out.splitlines()[-1]) == (0, "1 applied.")
    assert (other.applied(), other.all("select x from a")) == ([1, 2], [1])


@pytest.mark.promise("`ALTER TABLE` behind an open reader waits without limit and blocks every later reader")
def test_alter_table_behind_an_open_reader_stalls_others_for_at_most_the_lock_timeout(
    project, other, visit
) -> None:
    lock_timeout_s = 0.2
    project.setting(f"lock_timeout_ms = {lock_timeout_s * 1000:.0f}")
    project.migration("0001_table", "create table a (x int);")
    project.run("migrate")
    project.migration("0002_column", "alter table a add column y int;")
    reader = visit(project.dsn, application_name="slow report")
    reader.execute("begin; select * from a")
    running = project.start("migrate")
    other.wait_for("select pid from pg_locks where not granted and relation = 'a'::regclass")

    worst_s, began = 0.0, time.monotonic()
    while (now := time.monotonic()) < began + 3:
        other.execute("select count(*) from a")
        worst_s = max(worst_s, time.monotonic() - now)
    still_waiting = running.poll() is None
    reader.execute("commit")
    seen = running.result()

    assert (still_waiting, seen.status) == (True, 0)
    assert worst_s <= lock_timeout_s + 0.3
    assert "lock timeout; retrying" in seen.out
    assert (
        "(postgres, slow report, from a local socket, idle in transaction, transaction open for" in seen.out
    )
    assert other.one(
        "select lock_wait_ms::float8 > 1000 from aigym_db.event where kind = 'apply' and version = 2"
    )


@pytest.mark.promise("two runners: data migration applied twice, or both fail, or they hang")
@pytest.mark.parametrize("count", [2, 8])
def test_concurrent_runners_apply_a_data_migration_once(project, other, count: int) -> None:
    project.migration("0001_table", f"create table a (n int); insert into a values (0);\n{HOLD}")
    project.migration("0002_more", "update a set n = n + 1;")
    project.migration("0003_more", "update a set n = n + 1;")
    other.shut_gate()
    running = [project.start("migrate")]
    pid = other.wait_at_gate()
    running += [project.start("migrate") for _ in range(count - 1)]
    waits = [runner.output_until("waiting for another aigym-db run") for runner in running[1:]]
    other.open_gate()

    seen = [runner.result() for runner in running]

    assert [result.status for result in seen] == [0] * count
    assert seen[0].out.splitlines()[-1] == "3 applied."
    assert [result.out.splitlines()[-1] for result in seen[1:]] == [
        "Nothing to apply: the database is up to date."
    ] * (count - 1)
    assert other.one("select n from a") == 2
    assert [event for event in other.events() if event.startswith("apply")] == [
        "apply 1",
        "apply 2",
        "apply 3",
    ]
    assert len(waits) == count - 1
    assert pid > 0


@pytest.mark.promise("two runners: data migration applied twice, or both fail, or they hang")
def test_the_session_that_holds_the_runner_lock_is_reported(project, other) -> None:
    project.migration("0001_gate", HOLD)
    other.shut_gate()
    first = project.start("migrate")
    other.wait_at_gate()
    (holder,) = other.all(
        "select pid from pg_locks where locktype = 'advisory' and granted and pid <> pg_backend_pid() "
        "and pid not in (select pid from pg_locks where not granted)"
    )
    shown = rf"pid {holder} \(aigym-db\) from a local socket, connected \d+ s ago"

    waiting = project.start("migrate")
    output = waiting.output_until(f"pid {holder}")
    impatient = project.run("migrate", "--lock-wait", "0")
    short = project.run("migrate", "--lock-wait", "0.2")
    other.open_gate()

    assert re.search(f"waiting for another aigym-db run\n    {shown}", output)
    assert (impatient.status, short.status) == (6, 6)
    assert "error AIG-L001 Another aigym-db is migrating this database.\n" in impatient.out
    assert "it did not finish within 0.2 s." in short.out
    assert re.search(f"held by {shown}", impatient.out)
    assert (first.result().status, waiting.result().status) == (0, 0)


@pytest.mark.promise("two runners and CONCURRENTLY: deadlock, INVALID index, both fail")
@pytest.mark.parametrize("count", [2, 8])
def test_concurrent_runners_build_an_index_concurrently_without_deadlock(
    project, other, visit, count: int
) -> None:
    project.migration("0001_table", "create table a (x int); insert into a values (1);")
    build = (
        "create unique index concurrently a_x_idx on a (x);\n"
        "update a set x = x + 1;\n"
        "reindex index concurrently a_x_idx;"
    )
    project.migration("0002_index", build, options="transaction:false")
    writer = visit(project.dsn)
    project.run("migrate", "--to", "1")
    writer.execute("begin; update a set x = x")
    running = [project.start("migrate")]
    other.wait_for("select pid from pg_stat_progress_create_index where phase like 'waiting%'")
    running += [project.start("migrate") for _ in range(count - 1)]
    waits = [runner.output_until("waiting for another aigym-db run") for runner in running[1:]]
    writer.execute("commit")

    seen = [runner.result() for runner in running]

    assert [result.status for result in seen] == [0] * count
    assert [result.out.splitlines()[-1] == "1 applied." for result in seen] == [True] + [False] * (count - 1)
    assert other.all("select indisvalid from pg_index where indrelid = 'a'::regclass") == [True]
    assert other.all("select x from a") == [2]
    assert len(waits) == count - 1


def test_a_waiting_runner_continues_after_the_active_one_is_killed(project, other) -> None:
    project.migration("0001_table", "create table a (n int); insert into a values (0);")
    project.migration("0002_more", f"update a set n = n + 1;\n{HOLD}\nupdate a set n = n + 1;")
    project.migration(
        "0003_index",
        "create index concurrently a_n_idx on a (n);\nupdate a set n = n + 1;",
        options="transaction:false",
    )
    other.shut_gate()
    running = [project.start("migrate")]
    pid = other.wait_at_gate()
    running += [project.start("migrate") for _ in range(7)]
    waits = [runner.output_until("waiting for another aigym-db run") for runner in running[1:]]
    running[0].kill()
    other.wait_for(f"select pid from pg_stat_activity where pid = {pid}", answered=False)
    other.wait_at_gate()
    other.open_gate()

    seen = [runner.result() for runner in running]

    assert [result.status for result in seen[1:]] == [0] * 7
    ends = sorted(result.out.splitlines()[-1] for result in seen[1:])
    assert ends == ["2 applied.", *["Nothing to apply: the database is up to date."] * 6]
    assert (other.one("select n from a"), other.applied()) == (3, [1, 2, 3])
    assert other.all("select indisvalid from pg_index where indrelid = 'a'::regclass") == [True]
    assert len(waits) == 7


@pytest.mark.promise("killed between the statements of a non-transactional file: cannot continue")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_an_interrupted_non_transactional_file_resumes_at_the_right_statement(
    project, other, number: signal.Signals
) -> None:
    project.migration("0001_table", "create table a (x int);")
    project.migration(
        "0002_steps",
        f"insert into a values (1);\ncreate index concurrently a_x_idx on a (x);\n{HOLD}\n"
        "insert into a values (2);\nvacuum a;",
        options="transaction:false",
    )
    other.shut_gate()
    running = project.start("migrate")
    pid = other.wait_at_gate()
    running.send_signal(number)
    running.result()
    other.wait_for(f"select pid from pg_stat_activity where pid = {pid}", answered=False)
    other.open_gate()

    seen = project.run("migrate")

    assert (seen.status, seen.out.splitlines()[-1]) == (0, "1 applied.")
    assert re.search(r"applied 0002 steps \(.*, resumed at statement 3\)", seen.out)
    assert other.all("select x from a order by x") == [1, 2]
    assert other.all("select indisvalid from pg_index where indrelid = 'a'::regclass") == [True]


@pytest.mark.promise("backend terminated (failover): lock row stuck, Dirty")
@pytest.mark.parametrize("options", ["", "transaction:false"], ids=["transactional", "non-transactional"])
@pytest.mark.parametrize("which", ["that migrates", "that holds the lock"])
def test_the_next_run_continues_after_a_terminated_backend(project, other, which: str, options: str) -> None:
    project.migration("0001_table", "create table a (x int);")
    project.migration("0002_row", f"insert into a values (1);\n{HOLD}", options=options)
    other.shut_gate()
    running = project.start("migrate")
    pid = other.wait_at_gate()
    sign = "=" if which == "that migrates" else "<>"
    other.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
        f"where application_name = 'aigym-db' and pid {sign} {pid}".encode()
    )

    ended = running.result()
    other.open_gate()
    seen = project.run("migrate")

    assert ended.status == (7 if options else 4)
    assert "The connection to the server was lost." in ended.out
    assert (seen.status, seen.out.splitlines()[-1]) == (0, "1 applied."), seen.out
    assert (other.applied(), other.all("select x from a")) == ([1, 2], [1])
