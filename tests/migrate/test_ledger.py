"""The ledger on a server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.database.catalog import snapshot
from aigym_db.database.queries import query
from aigym_db.errors import ReadOnly
from aigym_db.migrate.apply import migrate


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


OLD_LEDGER = """
create schema aigym_db;
create type aigym_db.event_kind as enum
  ('start', 'apply', 'fail', 'rollback', 'adopt', 'repair', 'intent', 'done');
create table aigym_db.event (
  id bigint generated always as identity primary key,
  kind aigym_db.event_kind not null,
  version integer,
  name text,
  checksum text,
  direction text,
  statement integer,
  sql text,
  detail jsonb not null default '{}',
  duration_ms jsonb,
  lock_wait_ms jsonb,
  git_commit text,
  tool_version text not null,
  server_version text not null default current_setting('server_version'),
  who text not null default session_user,
  host text,
  address inet default inet_client_addr(),
  application text default current_setting('application_name'),
  backend integer not null default pg_backend_pid(),
  occurred_at timestamptz not null default clock_timestamp(),
  check (kind in ('start', 'fail') or checksum is not null)
);
create function aigym_db.reject_change() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
  raise exception 'aigym_db.event is append-only: % is rejected', tg_op
    using errcode = 'insufficient_privilege',
          hint = 'Record what is true now as a new event; history stays as it was.';
end
$$;
create trigger event_append_only
before update or delete or truncate on aigym_db.event
for each statement execute function aigym_db.reject_change();
alter table aigym_db.event enable always trigger event_append_only;
create view aigym_db.applied as
select version, name, checksum, occurred_at as applied_at, who as applied_by
from (
  select distinct on (version) version, name, checksum, occurred_at, who, kind
  from aigym_db.event
  where kind in ('apply', 'adopt', 'repair', 'rollback')
  order by version, id desc
) as latest
where kind <> 'rollback';
grant usage on schema aigym_db to public;
grant select on aigym_db.applied to public;
"""
"""The ledger of aigym-db 0.1, without scopes."""


@pytest.fixture
def old_ledger(other, write):
    """Create a ledger of an earlier aigym-db with one applied migration."""
    migration = write(1, "create table app (id int);")
    other.execute(OLD_LEDGER)
    other.execute(
        "insert into aigym_db.event (kind, version, name, checksum, direction, sql, tool_version) "
        "values ('apply', 1, 'step_1', %s, 'up', %s, '0.1')",
        [ledger.checksum(migration), migration.up.source.text],
    )
    return migration


def catalog_of_the_ledger(connection) -> set[object]:
    facts = snapshot(connection, ignore_schemas=()).facts
    return {(key, tuple(sorted(more.items()))) for key, more in facts.items() if "aigym_db" in str(key)}


def test_an_upgraded_ledger_equals_a_new_one(database, other, old_ledger) -> None:
    ledger.create(other)
    upgraded = catalog_of_the_ledger(other)
    other.execute("drop schema aigym_db cascade")
    ledger.create(other)

    assert upgraded == catalog_of_the_ledger(other)
    assert len(upgraded) > 5


def test_the_next_migration_upgrades_a_ledger_of_an_earlier_version(
    database, other, old_ledger, write
) -> None:
    migrate(database, (old_ledger, write(2, "select 1;")))

    assert [row.version for row in ledger.applied(other)] == [1, 2]
    assert other.execute("select distinct scope from aigym_db.event").fetchall() == [("",)]
    assert ledger.create(other) is False


def test_a_ledger_of_an_earlier_version_is_read_without_being_changed(database, other, old_ledger) -> None:
    other.execute("create role reads_old_ledgers login; grant usage on schema aigym_db to reads_old_ledgers")
    reader = f"{database}&user=reads_old_ledgers"

    try:
        with psycopg.connect(database, user="reads_old_ledgers", autocommit=True) as connection:
            seen = ledger.applied(connection)
            tenants = ledger.applied(connection, "tenant")
        with psycopg.connect(database, user="reads_old_ledgers") as connection:
            inside = ledger.applied(connection)
            assert connection.execute("select 1").fetchone() == (1,)
        done = migrate(reader, (old_ledger,))
    finally:
        other.execute("drop owned by reads_old_ledgers; drop role reads_old_ledgers")

    assert [row.version for row in seen] == [row.version for row in inside] == [1]
    assert (tenants, done) == ((), ())
    assert ledger.stored_sql(other, 1) == old_ledger.up.source.text
    assert other.execute("select to_regclass('aigym_db.event_scope_version_idx')").fetchone() == (None,)


def test_only_the_owner_of_an_old_ledger_can_upgrade_it(database, other, old_ledger, write) -> None:
    other.execute(
        "create role writes_old_ledgers login; grant usage on schema aigym_db to writes_old_ledgers;"
        "grant select, insert on aigym_db.event to writes_old_ledgers"
    )

    try:
        with pytest.raises(ReadOnly, match="its owner postgres") as error:
            migrate(f"{database}&user=writes_old_ledgers", (old_ledger, write(2, "select 1;")))
    finally:
        other.execute("drop owned by writes_old_ledgers; drop role writes_old_ledgers")

    assert "as postgres" in error.value.hint
    assert [row.version for row in ledger.applied(other)] == [1]


def test_eight_sessions_upgrade_one_ledger_once(database, old_ledger) -> None:
    def make(_: int) -> bool:
        with psycopg.connect(database, autocommit=True) as connection:
            return ledger.create(connection)

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, range(8)))

    assert sum(made) == 1


def test_a_failed_upgrade_leaves_the_ledger_unchanged(other, old_ledger, monkeypatch) -> None:
    monkeypatch.setitem(ledger._MAKING, "scope", ("add_scope", "create_kind"))

    with pytest.raises(psycopg.errors.DuplicateObject):
        ledger.create(other)

    assert [row.version for row in ledger.applied(other)] == [1]
    assert other.execute("select to_regclass('aigym_db.event_scope_version_idx')").fetchone() == (None,)


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
