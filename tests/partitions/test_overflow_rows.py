"""`partitions apply` moves rows to partitions of their own and loses none, also with concurrent sessions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

import aigym_db
from aigym_db.errors import ConnectionLost
from aigym_db.partitions.apply import PartitionOptions
from aigym_db.partitions.execution import PartitionObserver
from aigym_db.partitions.plan import PartitionStep
from tests.partitions.conftest import (
    create_partitions,
    insert,
    month,
    partition_name,
    rows,
    rows_by_partition,
)
from tests.support.command import ProjectInProcess
from tests.support.waiting import wait_for_row

Visitor = psycopg.Connection[tuple[object, ...]]


def test_rows_of_the_overflow_partition_are_moved_with_nothing_changed(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    create_partitions(visitor, -5, -3)
    insert(visitor, -4, -3, -2, -2, 0, 30, text="kept")
    insert(visitor, -1, person=2)
    before = rows(visitor)
    assert rows_by_partition(visitor)["events_overflow"] == 5

    aigym_db.apply_partitions(database, project.folder)

    assert rows(visitor) == [row for row in before if row[1] != month(-4) + timedelta(days=14)]
    assert rows_by_partition(visitor) == {
        partition_name(-3): 1,
        partition_name(-2): 2,
        partition_name(-1): 1,
        partition_name(0): 1,
        "events_overflow": 1,
    }
    # The partition of four months ago was detached, not emptied.
    assert visitor.execute(f"select count(*) from app.{partition_name(-4)}".encode()).fetchone() == (1,)
    assert aigym_db.plan_partitions(database, project.folder).steps == ()
    # Triggers and foreign keys are those of the table.
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        visitor.execute("delete from app.people where id = 1")
    visitor.execute("delete from app.people where id = 2")
    assert partition_name(-1) not in rows_by_partition(visitor)


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
    assert "events_overflow" not in rows_by_partition(visitor)
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
        f"drop table app.{partition_name(13)}; alter table app.events detach partition app.events_overflow;"
        f"alter table app.events attach partition app.events_overflow for values from ('{month(13)}') "
        "to (maxvalue)".encode()
    )

    aigym_db.apply_partitions(database, project.folder)

    assert rows_by_partition(visitor) == {"events_old": 1, partition_name(0): 1, "events_overflow": 1}
    assert aigym_db.plan_partitions(database, project.folder).steps == ()


def test_what_is_written_between_copy_and_attachment_is_transferred(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    create_partitions(visitor, -5, -3)
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
    assert rows_by_partition(visitor) == {partition_name(-2): 4, partition_name(-1): 1}


def test_a_transaction_that_is_open_during_the_copy_loses_no_row(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    create_partitions(visitor, -5, -3)
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
    create_partitions(visitor, -2, -1)
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
    assert rows_by_partition(visitor) == {partition_name(0): 2}


@pytest.mark.parametrize("after", ["copy", "create", "detach"])
def test_a_killed_run_is_completed_by_the_next(
    visitor: Visitor, database: str, project: ProjectInProcess, after: str
) -> None:
    create_partitions(visitor, -5, -3)
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
    assert rows_by_partition(visitor) == {partition_name(offset): 1 for offset in (-3, -2, -1, 0)}
    assert [
        visitor.execute(f"select count(*) from app.{partition_name(offset)}".encode()).fetchone()
        for offset in (-5, -4)
    ] == [(1,), (1,)]
    project.end()


def test_a_step_whose_session_is_terminated_is_repeated_by_the_next_run(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    create_partitions(visitor, -2, -1)
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

    assert rows_by_partition(visitor) == {"events_overflow": 2}
    aigym_db.apply_partitions(database, project.folder)
    assert rows_by_partition(visitor) == {partition_name(0): 2}
    assert rows(visitor) == before
