"""AI GYM four and fourteen months after the last run of `partitions apply`.

A server's clock cannot be moved, so the partitions are: they are created as of a time in the past.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

import aigym_db
from aigym_db.database.connect import connect
from aigym_db.health.examine import Health, examine, exit_status
from aigym_db.partitions.apply import PartitionOptions
from aigym_db.project.cards import cards
from tests.reference.conftest import PROJECT, seeded

PARTITIONED = ("ai.conversation_messages", "audit.audit_log", "audit.security_audit", "audit.system_events")
LOGS = "select id, occurred_at, schema_name, table_name, row_pk from audit.audit_log order by occurred_at, id"
MESSAGES = "select * from ai.conversation_messages order by conversation_id, sequence_number"

_CREATE_PARTITIONS_AGAIN = """
do $$
declare
  strategy record;
  leaf regclass;
begin
  for leaf in select oid from pg_class where relnamespace = 'parts'::regnamespace and relkind = 'r' loop
    execute format('drop table %s', leaf);
  end loop;

  for strategy in
    select format('%I.%I', schema_name, table_name)::regclass as parent, partition_interval
    from ops.partition_strategies
    where partition_type = 'range'
    -- Events about partitions are stored in it.
    order by table_name = 'system_events' desc
  loop
    perform ops.ensure_partitions(
      strategy.parent, every => strategy.partition_interval, as_of => now() - interval 'MONTHS months'
    );
  end loop;
end
$$
"""


@dataclass(frozen=True, slots=True)
class Database:
    """The reference database, and a superuser's connection to it."""

    dsn: str
    connection: psycopg.Connection[Any]

    def age_partitions(self, months: int) -> None:
        """Replace the partitions by those that the installation created this many months ago."""
        self.connection.execute(_CREATE_PARTITIONS_AGAIN.replace("MONTHS", str(months)).encode())

    def sign_up(self) -> UUID:
        """Create an account as Supabase does, and return its id."""
        person = uuid4()
        self.connection.execute(
            "insert into auth.users (id, email) values (%s, %s)", (person, f"{person}@example.org")
        )
        return person

    def chat(self, person: UUID, text: str) -> int:
        """Begin a conversation as this person, append a message, and return its number."""
        with self.connection.transaction():
            claims = json.dumps({"sub": str(person), "role": "authenticated", "aal": "aal1"})
            self.connection.execute("select set_config('request.jwt.claims', %s, true)", (claims,))
            self.connection.execute("set local row_security = on; set local role authenticated")
            created = self.connection.execute(
                "insert into ai.conversations (title) values ('Plans') returning id"
            ).fetchone()
            assert created is not None
            row = self.connection.execute(
                "select ai.append_message(conversation_id => %s, content => %s)",
                (created[0], text),
            ).fetchone()
        assert row is not None
        return int(row[0])

    def in_overflow(self) -> dict[str, int]:
        """The number of rows in the overflow partition of each table that has some."""
        counts = {}
        for table in PARTITIONED:
            overflow = f"parts.{table.replace('.', '__')}_overflow"
            row = self.connection.execute(f"select count(*) from {overflow}".encode()).fetchone()
            if row and row[0]:
                counts[table] = row[0]
        return counts

    def health(self, **options: Any) -> Health:
        """Examine the checks about partitions."""
        self.connection.execute("select pg_stat_force_next_flush()")
        names = ("partitions-ahead", "overflow-partition", "partition-row-security", "detached-partition")
        return examine(self.dsn, names=names, **options)


@pytest.fixture(scope="module")
def built() -> Iterator[Database]:
    """The migrated database with its reference rows."""
    with seeded("reference") as connection:
        yield Database(connection.info.dsn, connection)


def severities(health: Health) -> dict[str, str]:
    return {
        measurement.object: measurement.severity
        for result in health.results
        for measurement in result.measurements
    }


def test_a_new_installation_has_thirteen_months_and_sixty_days_ahead(built: Database) -> None:
    built.age_partitions(0)

    assert aigym_db.plan_partitions(built.dsn, PROJECT).steps == ()
    assert severities(built.health()) == dict.fromkeys(PARTITIONED, "ok")
    assert exit_status(result.severity for result in built.health().results) == 0
    attached = {
        table: built.connection.execute(
            "select count(*) from pg_inherits where inhparent = %s::regclass", (table,)
        ).fetchone()
        for table in PARTITIONED
    }
    # The current one, those ahead, and the overflow partition.
    assert attached == {**dict.fromkeys(PARTITIONED, (15,)), "audit.system_events": (62,)}


def test_four_months_on_everything_works_and_health_reports_what_is_due(built: Database) -> None:
    built.age_partitions(4)

    assert built.chat(built.sign_up(), "Hello") == 1
    health = built.health()

    assert built.in_overflow().keys() <= {"audit.system_events"}
    # Of 13 months nine remain, which is more than half; of 60 days none.
    measured = severities(health)
    assert {table: measured[table] for table in PARTITIONED} == {
        **dict.fromkeys(PARTITIONED, "ok"), "audit.system_events": "critical",
    }  # fmt: skip
    due = aigym_db.plan_partitions(built.dsn, PROJECT)
    created = {step.layout.table: len(step.partitions) for step in due.steps if step.kind == "create"}
    assert {**created, "audit.system_events": 0} == {
        **dict.fromkeys(PARTITIONED, 4), "audit.system_events": 0,
    }  # fmt: skip
    assert created["audit.system_events"] > 60

    aigym_db.apply_partitions(built.dsn, PROJECT)

    assert aigym_db.plan_partitions(built.dsn, PROJECT).steps == ()
    after = severities(built.health())
    assert {after[table] for table in PARTITIONED} == {"ok"}


def test_half_of_the_months_ahead_is_a_warning(built: Database) -> None:
    built.age_partitions(0)

    later = severities(built.health(ahead=timedelta(days=8 * 31)))

    assert later == {**dict.fromkeys(PARTITIONED, "warning"), "audit.system_events": "critical"}


def test_fourteen_months_on_sign_up_and_chat_work_and_apply_moves_the_rows(built: Database) -> None:
    built.age_partitions(14)

    for number in range(3):
        assert built.chat(built.sign_up(), f"Message {number}") == 1
    built.connection.execute(
        "select audit.log_security('login.succeeded', 'sign_in', person => %s)", (built.sign_up(),)
    )
    logs, messages = (built.connection.execute(query).fetchall() for query in (LOGS, MESSAGES))
    before = built.health()

    # Events of partitions that other tests have created can be there, too.
    overflow_rows = built.in_overflow()
    events = overflow_rows.pop("audit.system_events", 0)
    assert overflow_rows == {
        "ai.conversation_messages": 3,
        "audit.audit_log": len(logs),
        "audit.security_audit": 1,
    }
    assert len(logs) >= 6
    assert exit_status(result.severity for result in before.results) == 2
    overflow = severities(before)["parts.ai__conversation_messages_overflow"]
    assert overflow == "critical"

    done = aigym_db.apply_partitions(built.dsn, PROJECT)

    assert sum(step.rows for step in done.steps if step.kind == "copy") == len(logs) + 3 + 1 + events
    assert built.in_overflow() == {}
    assert built.connection.execute(LOGS).fetchall() == logs
    assert built.connection.execute(MESSAGES).fetchall() == messages
    assert aigym_db.plan_partitions(built.dsn, PROJECT).steps == ()
    after = built.health()
    assert [
        measurement.message
        for result in after.results
        for measurement in result.measurements
        if measurement.severity != "ok" and result.check.name != "detached-partition"
    ] == []
    month = f"{datetime.now(UTC):%Y%m}"
    homes = built.connection.execute(
        "select distinct tableoid::regclass::text from ai.conversation_messages"
    ).fetchall()
    assert homes == [(f"parts.ai__conversation_messages_p{month}",)]


def test_moved_rows_keep_triggers_policies_and_foreign_keys(built: Database) -> None:
    built.age_partitions(14)
    person = built.sign_up()
    built.chat(person, "Hello")
    aigym_db.apply_partitions(built.dsn, PROJECT)

    assert built.chat(person, "Again") == 1
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        built.connection.execute("delete from audit.audit_log")
    built.connection.execute("delete from ai.conversations where user_id = %s", (person,))
    left = built.connection.execute(
        "select count(*) from ai.conversation_messages where user_id = %s", (person,)
    ).fetchone()
    assert left == (0,)


def test_the_database_records_detached_archived_and_dropped_partitions(
    built: Database, tmp_path: Path
) -> None:
    built.age_partitions(27)
    project = replace(PROJECT, partition_archive=str(tmp_path))
    tables = ("audit.audit_log",)
    later = datetime.now(UTC) + timedelta(days=8)

    aigym_db.apply_partitions(built.dsn, project, options=PartitionOptions(tables))
    recorded = built.connection.execute(
        "select partition_name, status from ops.partition_metadata"
        " where table_name = 'audit_log' and status <> 'active' and partition_name in"
        " (select partition_name from privacy.data_archive_log where operation = 'archive'"
        " and archive_sha256 is not null) order by 1"
    ).fetchall()
    aigym_db.apply_partitions(built.dsn, project, options=PartitionOptions(tables, drop=True, as_of=later))

    assert recorded
    assert {status for _, status in recorded} == {"archived"}
    assert {path.name for path in tmp_path.rglob("*.gz")} >= {f"{name}.csv.gz" for name, _ in recorded}
    statuses = built.connection.execute(
        "select distinct status from ops.partition_metadata where partition_name = any(%s)",
        ([name for name, _ in recorded],),
    ).fetchall()
    assert statuses == [("dropped",)]


def test_the_function_creates_partitions_for_older_rows(built: Database) -> None:
    built.age_partitions(0)

    built.connection.execute(
        "select ops.ensure_partitions('audit.audit_log', every => 'month', since => '2024-02-10')"
    )
    built.connection.execute(
        "insert into audit.audit_log (occurred_at, schema_name, table_name, row_pk, action)"
        " values ('2024-02-01', 'legacy', 'logs', '{}', 'insert')"
    )

    home = built.connection.execute(
        "select tableoid::regclass::text from audit.audit_log where schema_name = 'legacy'"
    ).fetchone()
    assert home == ("parts.audit__audit_log_p202402",)


def test_the_function_rejects_a_detached_table_of_the_same_name(built: Database) -> None:
    built.age_partitions(0)
    month = f"parts.audit__security_audit_p{datetime.now(UTC):%Y%m}"
    built.connection.execute(f"alter table audit.security_audit detach partition {month}".encode())

    with pytest.raises(psycopg.errors.DuplicateTable, match="is not a partition of"):
        built.connection.execute("select * from ops.ensure_all_partitions()")


def test_a_partition_that_grows_is_recorded_without_an_event(built: Database) -> None:
    built.age_partitions(0)
    events = "select count(*) from audit.system_events"
    before = built.connection.execute(events).fetchone()

    built.sign_up()
    built.connection.execute("analyze audit.audit_log")
    built.connection.execute("select ops.record_partitions('audit.audit_log')")

    sizes = built.connection.execute(
        "select max(row_estimate) from ops.partition_metadata where table_name = 'audit_log'"
    ).fetchone()
    assert sizes
    assert sizes[0] > 0
    assert built.connection.execute(events).fetchone() == before


def test_the_nightly_function_leaves_an_overflow_partition_with_rows(built: Database) -> None:
    built.age_partitions(14)
    built.sign_up()
    notices: list[str] = []
    built.connection.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))

    built.connection.execute("select * from ops.ensure_all_partitions()")

    assert notices == [
        "the overflow partition parts.audit__audit_log_overflow contains rows",
        "the overflow partition parts.audit__system_events_overflow contains rows",
    ]
    assert built.in_overflow().keys() == {"audit.audit_log", "audit.system_events"}
    assert severities(built.health())["ai.conversation_messages"] == "ok"


def test_a_row_of_strategies_switches_a_part_off(built: Database) -> None:
    built.age_partitions(14)
    with closing(connect(built.dsn, autocommit=True)) as connection:
        change = "update ops.partition_strategies set auto_create = %s where table_name = 'security_audit'"
        connection.execute(change, (False,))
        due = aigym_db.plan_partitions(built.dsn, PROJECT)
        connection.execute(change, (True,))

    created = {step.layout.table for step in due.steps if step.kind == "create"}
    assert created == {*PARTITIONED} - {"audit.security_audit"}


def test_large_tables_are_partitioned() -> None:
    """A card with more than 200 million expected rows has a partitioning."""
    large = {name for name, card in cards(PROJECT).items() if card.expected_rows > 200_000_000}
    partitioned = {name for name, card in cards(PROJECT).items() if card.partitioning is not None}

    assert large
    assert large <= partitioned
    assert {*PARTITIONED} <= partitioned
