"""`partitions apply` on a table without a card: nothing is lost, whatever happens meanwhile."""

from __future__ import annotations

import gzip
import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

import aigym_db
from aigym_db.errors import ConnectionLost, FormerPartition, LockTimeout
from aigym_db.partitions.apply import PartitionObserver, PartitionOptions
from aigym_db.partitions.plan import PartitionStep
from tests.partitions.conftest import age, homes, month, name, rows
from tests.support.command import ProjectInProcess
from tests.support.waiting import wait_for_row

Visitor = psycopg.Connection[tuple[object, ...]]


def insert(visitor: Visitor, *offsets: int, text: str = "a", person: int = 1) -> None:
    """Insert a row into the middle of each of these months."""
    for offset in offsets:
        visitor.execute(
            "insert into app.events (created_at, person, text) values (%s, %s, %s)",
            (month(offset) + timedelta(days=14), person, text),
        )


def kinds(steps: tuple[PartitionStep, ...]) -> list[tuple[str, str]]:
    return [(step.kind, step.partitions[0].name) for step in steps]


def test_a_first_run_creates_thirteen_months_ahead_and_the_overflow_partition(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    aigym_db.apply_partitions(database, project.folder)

    names = {row[0] for row in visitor.execute("select relid::text from pg_partition_tree('app.events')")}
    assert names == {"app.events", "app.events_overflow", *(f"app.{name(offset)}" for offset in range(14))}
    closed = visitor.execute(
        "select bool_and(relrowsecurity) from pg_class join pg_inherits on inhrelid = pg_class.oid"
        " where inhparent = 'app.events'::regclass"
    ).fetchone()
    assert closed == (True,)
    assert aigym_db.plan_partitions(database, project.folder).steps == ()


def test_rows_of_the_overflow_partition_are_moved_with_nothing_changed(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    age(visitor, -5, -3)
    insert(visitor, -4, -3, -2, -2, 0, 30, text="kept")
    insert(visitor, -1, person=2)
    before = rows(visitor)
    assert homes(visitor)["events_overflow"] == 5

    aigym_db.apply_partitions(database, project.folder)

    assert rows(visitor) == [row for row in before if row[1] != month(-4) + timedelta(days=14)]
    assert homes(visitor) == {
        name(-3): 1, name(-2): 2, name(-1): 1, name(0): 1, "events_overflow": 1,
    }  # fmt: skip
    # The partition of four months ago was detached, not emptied.
    assert visitor.execute(f"select count(*) from app.{name(-4)}".encode()).fetchone() == (1,)
    assert aigym_db.plan_partitions(database, project.folder).steps == ()
    # Triggers and foreign keys are those of the table.
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        visitor.execute("delete from app.people where id = 1")
    visitor.execute("delete from app.people where id = 2")
    assert name(-1) not in homes(visitor)


def test_partitions_and_an_overflow_partition_with_the_bounds_of_another_time_zone_leave_no_gap(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    visitor.execute("set timezone = 'America/New_York'")
    first, last = (month(offset).replace(tzinfo=None) for offset in (-1, 0))
    visitor.execute(
        f"create table app.events_a partition of app.events for values from ('{first}') to ('{last}');"
        f"create table app.events_overflow partition of app.events for values from ('{last}') to (maxvalue);"
        "insert into app.events (created_at, person, text) select at, 1, 'kept' from generate_series("
        f"'{first}'::timestamptz, '{last}'::timestamptz + '40 days', '1 hour') as at".encode()
    )
    before = rows(visitor)

    aigym_db.apply_partitions(database, project.folder)

    assert rows(visitor) == before
    assert "events_overflow" not in homes(visitor)
    insert(visitor, *range(14))
    assert aigym_db.plan_partitions(database, project.folder).steps == ()


@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamptz"])
def test_a_table_by_days_without_a_primary_key_is_maintained_as_well(
    visitor: Visitor, database: str, project: ProjectInProcess, kind: str
) -> None:
    project.append("aigym-db.toml", '"app.visits" = "range day day keep 5"\n')
    visitor.execute(
        f"create table app.visits (day {kind}, n int) partition by range (day);"
        "do $$ begin"
        "  execute format('create table app.first partition of app.visits for values from (%L) to (%L)',"
        "    current_date - 3, current_date - 2);"
        "  execute format('create table app.rest partition of app.visits for values from (%L) to (maxvalue)',"
        "    current_date - 2);"
        "end $$;"
        "insert into app.visits select current_date + n, n"
        " from unnest(array[-3, -2, -2, 0, 1, 400]) as n".encode()
    )
    query = "select * from app.visits order by day, n"
    before = visitor.execute(query).fetchall()

    options = PartitionOptions(("app.visits",))
    done = aigym_db.apply_partitions(database, project.folder, options=options)

    assert [step.kind for step in done.steps] == ["create"]
    assert visitor.execute(query).fetchall() == before
    homes = visitor.execute(
        "select tableoid::regclass::text, array_agg(n order by n) from app.visits group by 1 order by min(n)"
    ).fetchall()
    today = datetime.now(UTC)
    names = [f"app.visits_p{today + timedelta(days=n):%Y%m%d}" for n in (-2, 0, 1)]
    assert homes == [
        ("app.first", [-3]),
        (names[0], [-2, -2]),
        (names[1], [0]),
        (names[2], [1]),
        ("app.visits_overflow", [400]),
    ]
    assert aigym_db.plan_partitions(database, project.folder, options=options).steps == ()


def test_what_is_written_between_copy_and_attachment_is_transferred(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    age(visitor, -5, -3)
    insert(visitor, -2, text="deleted")
    insert(visitor, -2, text="changed")
    insert(visitor, -2, text="a")
    insert(visitor, -2, text="of two", person=2)
    expected: list[Any] = []

    def write(step: PartitionStep) -> None:
        if step.kind != "copy":
            return
        visitor.execute("delete from app.events where text = 'deleted!'")
        visitor.execute("update app.events set text = 'new' where text = 'changed!'")
        visitor.execute("delete from app.people where id = 2")
        insert(visitor, -2, -1)
        visitor.execute(
            f"do $$ begin begin insert into app.events (created_at, text) values ('{month(-2)}', 'sub');"
            " exception when others then raise; end; end $$".encode()
        )
        expected.extend(rows(visitor))

    aigym_db.apply_partitions(database, project.folder, observer=PartitionObserver(write))

    assert rows(visitor) == expected
    assert len(expected) == 5
    assert homes(visitor) == {name(-2): 4, name(-1): 1}


def test_a_transaction_that_is_open_during_the_copy_loses_no_row(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    age(visitor, -5, -3)
    insert(visitor, -2)
    with psycopg.connect(database) as other:
        other.execute("select pg_current_xact_id()")
        # In a subtransaction, whose id is no part of a snapshot.
        with other.transaction():
            other.execute(
                "insert into app.events (created_at, text) values (%s, 'open')",
                (month(-2) + timedelta(days=1),),
            )

        def commit(step: PartitionStep) -> None:
            if step.kind == "copy":
                other.commit()

        aigym_db.apply_partitions(database, project.folder, observer=PartitionObserver(commit))

    assert [row[3] for row in rows(visitor)] == ["open!", "a!"]


def test_rows_written_while_the_lock_is_awaited_are_transferred(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    age(visitor, -2, -1)
    insert(visitor, 0)
    with psycopg.connect(database) as writer, ThreadPoolExecutor() as threads:
        writer.execute("lock table app.events in row exclusive mode")
        applying = threads.submit(aigym_db.apply_partitions, database, project.folder)
        wait_for_row(visitor, "select from pg_locks where relation = 'app.events'::regclass and not granted")
        # The transaction that waits has an id already, so that of this row is later.
        writer.execute("insert into app.events (created_at, text) values (%s, 'late')", (month(0),))
        writer.commit()
        applying.result()

    assert [row[3] for row in rows(visitor)] == ["late!", "a!"]
    assert homes(visitor) == {name(0): 2}


@pytest.mark.parametrize("after", ["copy", "create", "detach"])
def test_a_killed_run_is_completed_by_the_next(
    visitor: Visitor, database: str, project: ProjectInProcess, after: str
) -> None:
    age(visitor, -5, -3)
    insert(visitor, -5, -4, -3, -2, -1, 0)
    before = rows(visitor)
    command = project.start("partitions", "apply", variables={"PYTHONUNBUFFERED": "1"})
    command.output_until(f"{after} ")
    command.kill()
    command.wait()
    wait_for_row(
        visitor,
        "select from (select count(*) from pg_stat_activity where application_name = 'aigym-db') as s (n)"
        " where n = 0",
    )

    aigym_db.apply_partitions(database, project.folder)

    assert rows(visitor) == before[2:]
    assert homes(visitor) == {name(offset): 1 for offset in (-3, -2, -1, 0)}
    assert [
        visitor.execute(f"select count(*) from app.{name(offset)}".encode()).fetchone() for offset in (-5, -4)
    ] == [(1,), (1,)]
    project.end()


def test_a_step_whose_session_is_terminated_is_repeated_by_the_next_run(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    age(visitor, -2, -1)
    insert(visitor, 0, 0)
    before = rows(visitor)
    waiting = "select pid from pg_locks where relation = 'app.events'::regclass and not granted"
    with psycopg.connect(database) as reader, ThreadPoolExecutor() as threads:
        reader.execute("lock table app.events in access share mode")
        applying = threads.submit(aigym_db.apply_partitions, database, project.folder)
        wait_for_row(visitor, waiting)
        visitor.execute(f"select pg_terminate_backend(pid) from ({waiting}) as w".encode())
        with pytest.raises(ConnectionLost):
            applying.result()

    assert homes(visitor) == {"events_overflow": 2}
    aigym_db.apply_partitions(database, project.folder)
    assert homes(visitor) == {name(0): 2}
    assert rows(visitor) == before


def test_a_step_is_retried_after_a_lock_timeout(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    project.append("aigym-db.toml", "")
    project.write("aigym-db.toml", "lock_timeout_ms = 50\n" + (project.folder / "aigym-db.toml").read_text())
    age(visitor, -2, 0)
    visitor.execute("begin; lock table app.events in access share mode")
    waits: list[str] = []

    def waiting(reason: str) -> None:
        waits.append(reason)
        visitor.execute("commit")

    aigym_db.apply_partitions(database, project.folder, observer=PartitionObserver(waiting=waiting))

    assert waits == ["lock timeout; retrying"]
    assert aigym_db.plan_partitions(database, project.folder).steps == ()


def test_an_interrupted_detach_is_finalized(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    age(visitor, -5, 13)
    with psycopg.connect(database, autocommit=True) as reader:
        reader.execute("begin isolation level repeatable read; select from app.events")
        visitor.execute("set lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            visitor.execute(f"alter table app.events detach partition app.{name(-5)} concurrently".encode())

    done = aigym_db.apply_partitions(database, project.folder)

    assert kinds(done.steps)[0] == ("finalize", name(-5))
    assert visitor.execute("select count(*) from pg_inherits where inhdetachpending").fetchone() == (0,)


def test_beside_a_default_partition_detaches_are_plain(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    age(visitor, -5, 13)
    visitor.execute("drop table app.events_overflow")
    visitor.execute("create table app.events_rest partition of app.events default")

    done = aigym_db.apply_partitions(database, project.folder)

    assert kinds(done.steps)[:2] == [("detach", name(-5)), ("detach", name(-4))]
    assert aigym_db.plan_partitions(database, project.folder).steps == ()


def test_detached_partitions_are_archived_and_dropped_a_week_later(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    age(visitor, -5, 13)
    insert(visitor, -5, -5)
    later = datetime.now(UTC) + timedelta(days=8)
    options = PartitionOptions(drop=True, as_of=later)

    archived = aigym_db.apply_partitions(database, project.folder)
    file = project.folder / f"archive/{visitor.info.dbname}/{name(-5)}.csv.gz"
    comment = visitor.execute(f"select obj_description('app.{name(-5)}'::regclass)".encode()).fetchone()
    kept = aigym_db.plan_partitions(database, project.folder, options=PartitionOptions(as_of=later))
    dropped = aigym_db.apply_partitions(database, project.folder, options=options)

    assert ("archive", name(-5)) in kinds(archived.steps)
    lines = gzip.decompress(file.read_bytes()).decode().splitlines()
    assert lines[0] == "id,created_at,person,text"
    assert len(lines) == 3
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert comment is not None
    assert f"archived 2 rows in {file.relative_to(project.folder)} with SHA-256 {digest}" in str(comment[0])
    assert "drop" not in {step.kind for step in kept.steps}
    assert ("drop", name(-5)) in kinds(dropped.steps)
    assert visitor.execute(f"select to_regclass('app.{name(-5)}')".encode()).fetchone() == (None,)


def test_a_table_with_the_name_of_a_due_partition_is_an_error(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    age(visitor, -2, 12)
    visitor.execute(f"create table app.{name(13)} (like app.events)".encode())

    with pytest.raises(FormerPartition):
        aigym_db.apply_partitions(database, project.folder)


def test_partitions_of_older_rows_are_created_on_request(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    aigym_db.apply_partitions(database, project.folder)
    with pytest.raises(psycopg.errors.CheckViolation):
        insert(visitor, -8)

    options = PartitionOptions(since=month(-8))
    aigym_db.apply_partitions(database, project.folder, options=options)
    insert(visitor, -8, -1)

    assert homes(visitor) == {name(-8): 1, name(-1): 1}


def test_the_command_prints_steps_and_documents(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    age(visitor, -2, 12)

    planned = project("--database", database, "partitions", "plan")
    document = project("--format", "json", "--database", database, "partitions", "plan").document
    applied = project("--database", database, "partitions", "apply", "app.events")
    again = project("--database", database, "partitions", "apply")
    unknown = project("--database", database, "partitions", "plan", "app.event")

    assert planned.out == f"create   app.events  {name(13)}  (1 partition)\n1 step due.\n"
    assert [(step["kind"], [due["name"] for due in step["partitions"]]) for step in document["steps"]] == [
        ("create", [f"app.{name(13)}"])
    ]
    assert applied.out == f"create   app.events  {name(13)}  (1 partition)\n"
    assert again.out == "Nothing is due.\n"
    assert (unknown.status, "Write `app.events`." in unknown.err) == (2, True)


def test_a_detached_partition_with_a_name_of_another_form_is_reported(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    age(visitor, -5, 13)
    visitor.execute(f"alter table app.{name(-5)} rename to old")

    applied = project("--database", database, "partitions", "apply")

    assert applied.out == (
        f"detach   app.events  old  (neither archived nor dropped: its name is not {name(-5)})\n"
        f"detach   app.events  {name(-4)}\narchive  app.events  {name(-4)}\n"
    )


def test_a_lock_timeout_names_the_table_and_the_step(
    visitor: Visitor, database: str, project: ProjectInProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aigym_db.partitions.apply.PATIENCE_MS", 1)
    project.write(
        "aigym-db.toml",
        'lock_timeout_ms = 100\n[partitions]\n"app.events" = "range created_at month keep 3"\n',
    )
    age(visitor, -1, 12)

    with visitor.transaction():
        visitor.execute("lock table app.events in access share mode")
        with pytest.raises(LockTimeout, match=r"app\.events: create failed: canceling statement due to lock"):
            aigym_db.apply_partitions(database, project.folder)


def test_infinite_bounds_and_rows_are_maintained(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    visitor.execute(
        "create table app.events_old partition of app.events for values from ('-infinity') to "
        f"('{month(-1)}'); create table app.events_new partition of app.events for values from "
        f"('{month(-1)}') to ('infinity'); insert into app.events (created_at, person, text) "
        "values ('-infinity', 1, 'kept'), (now(), 1, 'kept')".encode()
    )
    aigym_db.apply_partitions(database, project.folder)
    visitor.execute("insert into app.events (created_at, person, text) values ('infinity', 1, 'kept')")
    visitor.execute(
        f"drop table app.{name(13)}; alter table app.events detach partition app.events_overflow;"
        f"alter table app.events attach partition app.events_overflow for values from ('{month(13)}') "
        "to (maxvalue)".encode()
    )

    aigym_db.apply_partitions(database, project.folder)

    assert homes(visitor) == {"events_old": 1, name(0): 1, "events_overflow": 1}
    assert aigym_db.plan_partitions(database, project.folder).steps == ()


def test_an_error_of_one_table_leaves_out_its_steps_only(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    visitor.execute(
        "create table app.a (at timestamptz) partition by range (at);"
        "create table app.a_default partition of app.a default;"
        "insert into app.a values (now());"
        "create table app.b (at timestamptz) partition by range (at);"
        f"create table app.b_p{month(1):%Y%m} (x int);"
        "create table app.c (at timestamptz) partition by range (at);"
        "create schema closed; create table closed.c_overflow (at timestamptz);"
        f"alter table app.c attach partition closed.c_overflow for values from ('{month(0)}') to (maxvalue);"
        f"create table app.c_first partition of app.c for values from ('{month(-1)}') to ('{month(0)}');"
        "create role partition_owner; alter schema app owner to partition_owner".encode()
    )
    for table in ("people", "events", "a", "b"):
        visitor.execute(f"alter table app.{table} owner to partition_owner".encode())
    project.write(
        "aigym-db.toml",
        'owner = "partition_owner"\n[partitions]\n"app.a" = "range at month keep 3"\n'
        '"app.b" = "range at month keep 3"\n"app.c" = "range at month keep 3"\n'
        '"app.events" = "range created_at month keep 3"\n',
    )

    applied = project("--database", database, "partitions", "apply")

    assert applied.out == f"create   app.events  {name(0)} to {name(13)}  (14 partitions)\n"
    assert applied.status in (3, 4)
    assert (
        'app.a: create failed: updated partition constraint for default partition "a_default"' in applied.err
    )
    assert "app.c: plan failed: permission denied for schema closed" in applied.err
    assert f"app.b_p{month(1):%Y%m} exists and is not a partition of app.b" in applied.err


def test_a_table_that_is_not_partitioned_as_its_strategy_describes_is_reported(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    visitor.execute(
        'create table app.hashed (id int) partition by hash (id); create table app."A b" ("At" date) '
        'partition by range ("At")'
    )
    project.write(
        "aigym-db.toml",
        '[partitions]\n"app.events" = "range created month keep 3"\n"app.hashed" = "range id month keep 3"\n'
        '"app.missing" = "range at month keep 3"\n"app.A b" = "range At month keep 3"\n',
    )

    applied = project("--database", database, "partitions", "apply")
    named = project("--database", database, "partitions", "apply", "app.events")

    reason = "not partitioned by range of the date or timestamp column of its strategy"
    assert applied.out == (
        f"create   app.A b  A b_p{month(0):%Y%m} to A b_p{month(13):%Y%m}  (14 partitions)\n"
        f"skipped  app.events  ({reason})\n"
        f"skipped  app.hashed  ({reason})\n"
        f"skipped  app.missing  ({reason})\n"
    )
    assert applied.status == 1
    assert (named.status, f"The table app.events is {reason}." in named.err) == (2, True)


def test_the_schedules_leave_out_the_password(database: str, project: ProjectInProcess) -> None:
    dsn = "postgresql://deploy:secret@db.example.org/app?application_name=a%25b"

    cron = project("--database", dsn, "partitions", "--print", "cron").out
    systemd = project("--database", dsn, "partitions", "--print", "systemd").out

    assert cron.startswith("17 3 * * *  ")
    assert cron.endswith("partitions apply --lock-wait 3600\n")
    assert r"application_name=a\%b" in cron
    assert "application_name=a%%b" in systemd
    assert "OnCalendar=" in systemd
    assert "secret" not in cron + systemd


def test_pg_cron_requires_a_function(visitor: Visitor, database: str, project: ProjectInProcess) -> None:
    rejected = project("--database", database, "partitions", "--print", "pg_cron")
    visitor.execute("create schema ops; create function ops.ensure_all_partitions() returns int return 1")
    accepted = project("--database", database, "partitions", "--print", "pg_cron")

    assert (rejected.status, "ops.ensure_all_partitions()" in rejected.err) == (2, True)
    assert (
        "cron.schedule('aigym-db partitions', '17 3 * * *', 'select ops.ensure_all_partitions()')"
        in accepted.out
    )
