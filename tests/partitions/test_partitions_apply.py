"""`partitions apply` creates, detaches, archives and drops partitions of a table without a card."""

from __future__ import annotations

import gzip
import hashlib
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

import aigym_db
from aigym_db.errors import FormerPartition, LockTimeout
from aigym_db.partitions.apply import PartitionOptions
from aigym_db.partitions.execution import PartitionObserver
from aigym_db.partitions.plan import PartitionStep
from tests.partitions.conftest import (
    create_partitions,
    insert,
    month,
    partition_name,
    rows_by_partition,
)
from tests.support.command import ProjectInProcess

Visitor = psycopg.Connection[tuple[object, ...]]


def kinds(steps: tuple[PartitionStep, ...]) -> list[tuple[str, str]]:
    return [(step.kind, step.partitions[0].name) for step in steps]


def test_a_first_run_creates_thirteen_months_ahead_and_the_overflow_partition(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    aigym_db.apply_partitions(database, project.folder)

    names = {row[0] for row in visitor.execute("select relid::text from pg_partition_tree('app.events')")}
    assert names == {
        "app.events",
        "app.events_overflow",
        *(f"app.{partition_name(offset)}" for offset in range(14)),
    }
    closed = visitor.execute(
        "select bool_and(relrowsecurity) from pg_class join pg_inherits on inhrelid = pg_class.oid"
        " where inhparent = 'app.events'::regclass"
    ).fetchone()
    assert closed == (True,)
    assert aigym_db.plan_partitions(database, project.folder).steps == ()


def test_a_step_is_retried_after_a_lock_timeout(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    project.write("aigym-db.toml", "lock_timeout_ms = 50\n" + (project.folder / "aigym-db.toml").read_text())
    create_partitions(visitor, -2, 0)
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
    create_partitions(visitor, -5, 13)
    with psycopg.connect(database, autocommit=True) as reader:
        reader.execute("begin isolation level repeatable read; select from app.events")
        visitor.execute("set lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            visitor.execute(
                f"alter table app.events detach partition app.{partition_name(-5)} concurrently".encode()
            )

    done = aigym_db.apply_partitions(database, project.folder)

    assert kinds(done.steps)[0] == ("finalize", partition_name(-5))
    assert visitor.execute("select count(*) from pg_inherits where inhdetachpending").fetchone() == (0,)


def test_beside_a_default_partition_detaches_are_plain(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    create_partitions(visitor, -5, 13)
    visitor.execute("drop table app.events_overflow")
    visitor.execute("create table app.events_rest partition of app.events default")

    done = aigym_db.apply_partitions(database, project.folder)

    assert kinds(done.steps)[:2] == [("detach", partition_name(-5)), ("detach", partition_name(-4))]
    assert aigym_db.plan_partitions(database, project.folder).steps == ()


def test_detached_partitions_are_archived_and_dropped_a_week_later(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    create_partitions(visitor, -5, 13)
    insert(visitor, -5, -5)
    later = datetime.now(UTC) + timedelta(days=8)
    options = PartitionOptions(drop=True, as_of=later)

    archived = aigym_db.apply_partitions(database, project.folder)
    file = project.folder / f"archive/{visitor.info.dbname}/{partition_name(-5)}.csv.gz"
    comment = visitor.execute(
        f"select obj_description('app.{partition_name(-5)}'::regclass)".encode()
    ).fetchone()
    kept = aigym_db.plan_partitions(database, project.folder, options=PartitionOptions(as_of=later))
    dropped = aigym_db.apply_partitions(database, project.folder, options=options)

    assert ("archive", partition_name(-5)) in kinds(archived.steps)
    lines = gzip.decompress(file.read_bytes()).decode().splitlines()
    assert lines[0] == "id,created_at,person,text"
    assert len(lines) == 3
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert comment is not None
    assert f"archived 2 rows in {file.relative_to(project.folder)} with SHA-256 {digest}" in str(comment[0])
    assert "drop" not in {step.kind for step in kept.steps}
    assert ("drop", partition_name(-5)) in kinds(dropped.steps)
    assert visitor.execute(f"select to_regclass('app.{partition_name(-5)}')".encode()).fetchone() == (None,)


def test_a_table_with_the_name_of_a_due_partition_is_an_error(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    create_partitions(visitor, -2, 12)
    visitor.execute(f"create table app.{partition_name(13)} (like app.events)".encode())

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

    assert rows_by_partition(visitor) == {partition_name(-8): 1, partition_name(-1): 1}


def test_a_lock_timeout_names_the_table_and_the_step(
    visitor: Visitor, database: str, project: ProjectInProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aigym_db.partitions.execution.PATIENCE_MS", 1)
    project.write(
        "aigym-db.toml",
        'lock_timeout_ms = 100\n[partitions]\n"app.events" = "range created_at month keep 3"\n',
    )
    create_partitions(visitor, -1, 12)

    with visitor.transaction():
        visitor.execute("lock table app.events in access share mode")
        with pytest.raises(LockTimeout, match=r"app\.events: create failed: canceling statement due to lock"):
            aigym_db.apply_partitions(database, project.folder)
