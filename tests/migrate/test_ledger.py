"""The ledger on a server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.database.queries import query
from aigym_db.errors import ReadOnly, UnknownLedger
from aigym_db.migrate.apply import migrate, pending
from aigym_db.migrate.options import Options
from aigym_db.migrate.rollback import rollback
from aigym_db.migrate.status import status


def test_a_database_without_a_ledger_has_applied_nothing(other) -> None:
    assert ledger.applied(other) == ()


def test_reading_a_missing_ledger_does_not_abort_the_transaction(database) -> None:
    with psycopg.connect(database) as connection:
        assert ledger.applied(connection) == ()
        assert connection.execute("select 1").fetchone() == (1,)


def test_applied_migrations_are_read_back(database, other, write) -> None:
    migration = write(1, "create table app (id int);")

    migrate(database, (migration,))

    (row,) = ledger.applied(other)
    assert (row.version, row.name, row.checksum) == (1, "step_1", f"sha256:{migration.checksum}")
    assert row.applied_by == "postgres"
    assert row.applied_at.tzinfo is not None


def test_the_ledger_stores_the_text_that_was_executed(database, other, write) -> None:
    migration = write(1, "select 'it''s é \\ 😀 %s %(sql)s';")

    migrate(database, (migration,))

    assert ledger.stored_sql(other, 1) == migration.up.source.text


@pytest.mark.parametrize(
    "change",
    ["update aigym_db.event set name = 'x'", "delete from aigym_db.event", "truncate aigym_db.event"],
)
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_events_cannot_be_changed(database, other, write, change: str, role: str) -> None:
    migrate(database, (write(1, "select 1;"),))
    other.execute(f"set session_replication_role = {role}")

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        other.execute(change)


def test_eight_sessions_create_one_ledger(database) -> None:
    def make(_: int) -> bool:
        with psycopg.connect(database, autocommit=True) as connection:
            return ledger.create(connection)

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, range(8)))

    assert sum(made) == 1


def test_any_role_may_read_the_applied_migrations_but_not_the_events(database, server, other, write) -> None:
    other.execute("create role unprivileged_role login")
    migrate(database, (write(1, "select 1;"),))

    try:
        with psycopg.connect(database, user="unprivileged_role", autocommit=True) as connection:
            seen = ledger.applied(connection)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("select * from aigym_db.event")
    finally:
        other.execute("drop role unprivileged_role")

    assert [row.version for row in seen] == [1]


def test_a_role_without_usage_has_a_hint_with_the_required_grant(database, other, write) -> None:
    migrate(database, (write(1, "select 1;"),))
    other.execute("revoke select on aigym_db.applied from public; create role blind_one login")

    try:
        with (
            psycopg.connect(database, user="blind_one", autocommit=True) as connection,
            pytest.raises(ReadOnly) as error,
        ):
            ledger.applied(connection)
    finally:
        other.execute("drop role blind_one")

    assert "grant" in error.value.hint


def test_an_event_records_role_host_and_program_version(database, other, write) -> None:
    migrate(database, (write(1, "select 1; select 2; select 3;"),))

    event = other.execute(
        "select kind::text, direction, who, application, host is not null, tool_version is not null, "
        "server_version = current_setting('server_version'), jsonb_array_length(duration_ms), "
        "lock_wait_ms::text "
        "from aigym_db.event where version = 1"
    ).fetchone()
    assert event == ("apply", "up", "postgres", "aigym-db", True, True, True, 3, "0.0")


@pytest.mark.parametrize(
    ("statement", "marked"), [("", False), ("set aigym.environment = 'production'", True)]
)
def test_the_production_mark_is_read_from_the_database(database, other, statement: str, marked: bool) -> None:
    name = other.info.dbname
    other.execute(f"alter database {name} {statement}" if statement else "select 1")

    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("set aigym.environment = 'staging'")
        assert ledger.marked_production(connection) is marked


WITHOUT_SCOPE = """
drop view aigym_db.applied;
alter table aigym_db.event drop column scope;
create view aigym_db.applied as
select version, name, checksum, occurred_at as applied_at, who as applied_by
from aigym_db.event where kind = 'apply'
"""
OTHER_LABEL = "alter type aigym_db.event_kind rename value 'rollback' to 'revert'"
WITHOUT_VIEW = "drop view aigym_db.applied"
WITHOUT_TYPE = "alter type aigym_db.event_kind rename to kind"
UNKNOWN = {"column": WITHOUT_SCOPE, "label": OTHER_LABEL, "view": WITHOUT_VIEW, "type": WITHOUT_TYPE}


@pytest.fixture(params=list(UNKNOWN.values()), ids=list(UNKNOWN))
def unknown_ledger(request, database, other, write):
    """Create a ledger of another format, with one applied migration."""
    migration = write(1, "create table app (id int);")
    migrate(database, (migration,))
    other.execute(request.param)
    return migration


@pytest.mark.parametrize(
    "call",
    [
        lambda dsn, files: migrate(dsn, files),
        lambda dsn, files: pending(dsn, files),
        lambda dsn, files: rollback(dsn, files),
        lambda dsn, files: rollback(dsn, files, options=Options(resolve="done")),
        lambda dsn, files: status(dsn, files),
    ],
    ids=["migrate", "plan", "rollback", "resolve", "status"],
)
def test_a_ledger_of_another_format_is_rejected_and_not_changed(
    database, other, unknown_ledger, write, call
) -> None:
    with pytest.raises(UnknownLedger, match="another version of aigym-db") as error:
        call(database, (unknown_ledger, write(2, "select 1;")))

    assert "version of aigym-db that created it" in error.value.hint
    assert error.value.detail
    assert other.execute("select kind::text from aigym_db.event order by id").fetchall() == [
        ("start",),
        ("apply",),
    ]


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ("alter table aigym_db.event rename to gone", "table aigym_db.event"),
        ("alter table aigym_db.event drop column lock_wait_ms", "column lock_wait_ms of aigym_db.event"),
    ],
    ids=["table", "column"],
)
def test_a_ledger_that_cannot_be_written_is_rejected_before_a_statement_runs(
    database, other, write, change, missing
) -> None:
    first, second = write(1, "create table app (id int);"), write(2, "create table b (id int);")
    migrate(database, (first,))
    other.execute(change)

    for call in (migrate, rollback):
        with pytest.raises(UnknownLedger) as error:
            call(database, (first, second))
        assert error.value.detail == f"Missing: {missing}"

    assert other.execute("select to_regclass('app'), to_regclass('b')").fetchone() == ("app", None)


def test_the_status_without_the_table_of_events_is_an_error(database, other, write) -> None:
    first = write(1, "create table app (id int);")
    migrate(database, (first,))
    other.execute("alter table aigym_db.event rename to gone")

    with pytest.raises(UnknownLedger):
        status(database, (first,))


def test_an_empty_schema_of_the_ledger_is_no_ledger(database, other, write) -> None:
    other.execute("create schema aigym_db")
    first = write(1, "create table app (id int);")

    assert status(database, (first,)).applied == ()
    migrate(database, (first,))
    assert [row.version for row in ledger.applied(other)] == [1]


def test_reading_a_ledger_of_another_format_does_not_abort_the_transaction(database, unknown_ledger) -> None:
    with psycopg.connect(database) as connection:
        with pytest.raises(UnknownLedger):
            ledger.applied(connection)
        assert connection.execute("select 1").fetchone() == (1,)


def test_migrations_are_recorded_per_tenant(database, other) -> None:
    ledger.create(other)
    events: list[tuple[str, Any]] = [("", "apply"), ("a", "apply"), ("b", "apply"), ("a", "rollback")]
    for scope, kind in events:
        ledger.record(other, ledger.Event(kind, 1, "one", f"sum of {scope}", "up", sql=scope, scope=scope))

    assert [row.checksum for row in ledger.applied(other)] == ["sum of "]
    assert (ledger.applied(other, "a"), ledger.applied(other, "c")) == ((), ())
    assert [row.checksum for row in ledger.applied(other, "b")] == ["sum of b"]
    assert (ledger.stored_sql(other, 1), ledger.stored_sql(other, 1, "b")) == ("", "b")


def test_the_history_of_one_tenant_is_read_by_index(database, other) -> None:
    ledger.create(other)
    other.execute(
        "insert into aigym_db.event (kind, version, name, checksum, tool_version, scope) "
        "select 'apply', version, 'x', 'x', '0', 'tenant_' || tenant "
        "from generate_series(1, 20) version, generate_series(1, 500) tenant; analyze aigym_db.event"
    )

    plan = other.execute(f"explain {query('ledger/applied')}", {"scope": "tenant_77"}).fetchall()

    assert "event_scope_version_idx" in str(plan)
