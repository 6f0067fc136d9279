"""Migrations sent to the server in one message."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.errors import ConnectionLost, LockTimeout, SessionStateChanged, StatementFailed
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.observer import Observer
from aigym_db.migrate.options import Options
from aigym_db.migrate.preflight import steps
from aigym_db.migrate.rollback import rollback
from aigym_db.migrate.session.wire import Wire
from aigym_db.migrate.transactional import message_batch, prepared
from aigym_db.migrate.transactional.message_batch import MOST, MOST_CHARACTERS, MessageSize
from aigym_db.migrate.transactional.single_message import MigrationTransaction

COUNT = 12
MIDDLE = 7
"""The first messages contain one, four and four migrations; this is the second of the third."""


@pytest.fixture(autouse=True)
def messages(monkeypatch) -> list[int]:
    """The number of migrations in each message, independent of the machine's speed."""
    monkeypatch.setattr(message_batch, "ENOUGH_MS", 1e9)
    sent, send = [], Wire.send

    def counted(self, message, *more):
        if prepared.RECORD in message.text:
            sent.append(message.text.count(prepared.RECORD))
        return send(self, message, *more)

    monkeypatch.setattr(Wire, "send", counted)
    return sent


@pytest.fixture
def line(write):
    """Twelve migrations that create one table each; one has additional statements."""

    def made(up: str = "", down: str = "", version: int = MIDDLE):
        return tuple(
            write(
                number,
                f"create table t{number} ();\n{up if number == version else ''}",
                f"{down if number == version else ''}\ndrop table t{number};",
            )
            for number in range(1, COUNT + 1)
        )

    return made


def versions(connection) -> list[int]:
    return [row.version for row in ledger.applied(connection)]


def tables(connection) -> int:
    return connection.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone()[0]


def test_each_migration_has_its_own_transaction_and_ledger_row(database, other, line, messages) -> None:
    migrate(database, line())

    assert messages == [1, 4, 4, 3]
    assert versions(other) == list(range(1, COUNT + 1))
    rows = other.execute("select count(distinct xmin::text) from aigym_db.event where kind = 'apply'")
    made = other.execute("select count(distinct xmin::text) from pg_class where relname ~ '^t[0-9]+$'")
    assert (rows.fetchone(), made.fetchone()) == ((COUNT,), (COUNT,))


def test_the_duration_of_each_migration_is_recorded_and_reported(database, other, line, listener) -> None:
    migrate(database, line(), observer=listener)

    took = other.execute(
        "select (duration_ms -> -1)::float8, jsonb_array_length(duration_ms) from aigym_db.event "
        "where version > 1 order by version"
    ).fetchall()
    assert [row[0] for row in took] == [done.duration_ms for done in listener.done[1:]]
    assert all(0 < row[0] < 1000 and row[1] == 1 for row in took)


def test_a_rollback_is_sent_in_the_same_batches(database, other, line, messages) -> None:
    migrate(database, line())
    messages.clear()

    done = rollback(database, line(), to=0, yes=True)

    assert messages == [1, 4, 4, 3]
    assert [finished.migration.version for finished in done] == list(range(COUNT, 0, -1))
    assert (versions(other), tables(other)) == ([], 0)


@pytest.mark.parametrize("before", ["", "-- é€😀\n"])
def test_a_failure_keeps_earlier_migrations_and_skips_later_ones(
    database, other, line, listener, before: str
) -> None:
    with pytest.raises(StatementFailed) as error:
        migrate(
            database,
            line(f"{before}comment on table t{MIDDLE} is '😀'; create table x (y nope);"),
            observer=listener,
        )

    place = error.value.place
    assert (place.file, place.line) == (f"migrations/{MIDDLE:04d}_step_{MIDDLE}.sql", 4 + before.count("\n"))
    assert place.text[place.column - 1 :].startswith("nope")
    assert f"{MIDDLE:04d} step_{MIDDLE}" in error.value.message
    assert [done.migration.version for done in listener.done] == list(range(1, MIDDLE))
    assert (versions(other), tables(other)) == (list(range(1, MIDDLE)), MIDDLE - 1)
    last = other.execute("select kind::text, version from aigym_db.event order by id desc limit 1")
    assert last.fetchone() == ("fail", MIDDLE)


def test_a_lock_timeout_retries_only_its_migration(database, other, line, listener, messages) -> None:
    other.execute("create table busy ()")
    with psycopg.connect(database) as reader:
        reader.execute("select from busy")
        listener.on_wait = lambda waiting: reader.rollback() if waiting.reason == "retry" else None

        migrate(
            database,
            line("alter table busy add x int;"),
            options=Options(lock_timeout_ms=200),
            observer=listener,
        )

    assert messages == [1, 4, 4, 1, 1, 4]
    assert [done.migration.version for done in listener.done] == list(range(1, COUNT + 1))
    assert [done.migration.version for done in listener.done if done.lock_wait_ms] == [MIDDLE]
    assert listener.done[MIDDLE - 1].lock_wait_ms >= 200
    waited = other.execute("select version from aigym_db.event where lock_wait_ms::float8 > 0")
    assert waited.fetchall() == [(MIDDLE,)]


def test_earlier_migrations_are_reported_during_a_lock_wait(database, other, line, listener) -> None:
    other.execute("create table busy ()")
    reported = []
    with psycopg.connect(database) as reader:
        reader.execute("select from busy")

        def look(waiting) -> None:
            reported.append(list(listener.done))
            reader.rollback()

        listener.on_wait = look
        migrate(database, line("alter table busy add x int;"), observer=listener)

    assert [done.migration.version for done in reported[0]] == list(range(1, MIDDLE))
    durations = other.execute(
        "select (duration_ms -> -1)::float8 from aigym_db.event where kind = 'apply' and version < %s "
        "order by version",
        [MIDDLE],
    )
    assert [(done.duration_ms,) for done in reported[0][1:]] == durations.fetchall()[1:]
    assert [done.migration.version for done in listener.done] == list(range(1, COUNT + 1))


def test_the_final_lock_timeout_names_the_position_and_the_blocking_session(database, other, line) -> None:
    other.execute("create table busy ()")
    with psycopg.connect(database, application_name="slow report") as reader:
        reader.execute("select from busy")

        with pytest.raises(LockTimeout, match=f"{MIDDLE:04d} .* in 1 tries") as error:
            migrate(
                database,
                line("alter table busy add x int;"),
                options=Options(lock_timeout_ms=200, patience_ms=100),
            )

    assert "slow report" in error.value.detail
    assert (error.value.place.file, error.value.place.line) == (
        f"migrations/{MIDDLE:04d}_step_{MIDDLE}.sql",
        4,
    )
    assert versions(other) == list(range(1, MIDDLE))


def test_session_state_of_one_migration_stops_later_ones(database, other, line, listener) -> None:
    with pytest.raises(SessionStateChanged, match=f"{MIDDLE:04d} .* is done, .* a temporary table") as error:
        migrate(database, line("create temp table left_over as select 1;"), observer=listener)

    assert error.value.place.file == f"migrations/{MIDDLE:04d}_step_{MIDDLE}.sql"
    assert [done.migration.version for done in listener.done] == list(range(1, MIDDLE + 1))
    assert (versions(other), tables(other)) == (list(range(1, MIDDLE + 1)), MIDDLE)


def test_a_notice_is_reported_for_its_migration(database, line) -> None:
    notices = []

    class Notices(Observer):
        def notice(self, migration, notice) -> None:
            notices.append((migration.version, notice.message))

    migrate(database, line(f"create table if not exists t{MIDDLE} ();"), observer=Notices())

    assert notices == [(MIDDLE, f'relation "t{MIDDLE}" already exists, skipping')]


def test_an_unencodable_migration_keeps_earlier_ones(server, database, other, line, listener) -> None:
    other.execute("create database latin encoding 'LATIN1' locale 'C' template template0")
    try:
        with pytest.raises(StatementFailed, match=f"{MIDDLE:04d}"):
            migrate(server.dsn("latin"), line("-- 😀"), observer=listener)

        with psycopg.connect(server.dsn("latin"), autocommit=True) as latin:
            assert (versions(latin), tables(latin)) == (list(range(1, MIDDLE)), MIDDLE - 1)
    finally:
        other.execute("drop database latin with (force)")

    assert [done.migration.version for done in listener.done] == list(range(1, MIDDLE))


def test_a_terminated_session_reports_the_certain_outcome(database, other, line) -> None:
    go = "create function go() returns bool language sql as 'select pg_terminate_backend(pg_backend_pid())'"
    other.execute(go)
    other.execute("create table gone as select 1")
    text = "alter table gone add check (go());"

    with pytest.raises(
        ConnectionLost, match="Each of 0007 step_7 to 0009 step_9 is either applied completely or not at all"
    ):
        migrate(database, line(text))

    assert (versions(other), tables(other)) == (list(range(1, MIDDLE)), MIDDLE)


def test_migrations_that_run_code_are_sent_separately_and_in_order(database, other, write, messages) -> None:
    line = tuple(
        write(number, "do $$ begin end $$;" if number % 5 == 0 else f"create table t{number} ();")
        for number in range(2, 12)
    )

    migrate(database, (write(1, "create table t ();"), *line))

    assert messages == [1, 3, 1, 4, 1, 1]
    assert versions(other) == list(range(1, 12))


def test_every_migration_has_its_own_transaction_timestamp(database, other, write, messages) -> None:
    texts = (
        "create table t (id int, since timestamptz default now(), what text default 'new');",
        "create table other ();",
        "insert into t values (1);",
        "update t set what = 'old' where since < now();",
        "create table copied as select now() as at;",
        "alter table t add column seen timestamptz default clock_timestamp();",
        "alter table t add column at timestamptz default now();",
        "create materialized view m as select now() as at;",
        "create table last ();",
    )

    migrate(database, tuple(write(number, text) for number, text in enumerate(texts, start=1)))

    assert other.execute("select what from t").fetchone() == ("old",)
    moments = other.execute(
        "select since from t union all select at from copied union all select at from t "
        "union all select at from m"
    ).fetchall()
    assert sorted(set(moments)) == moments


def test_a_temporary_table_of_one_migration_does_not_affect_later_ones(
    database, other, line, listener
) -> None:
    migrate(
        database,
        line("create temp table x (id int) on commit drop; create temp sequence y; drop sequence y;"),
    )

    assert versions(other) == list(range(1, COUNT + 1))
    assert other.execute("select count(*) from aigym_db.event where kind = 'fail'").fetchone() == (0,)


def triggered(write, body: str):
    """A table with a trigger, and three migrations that fire it."""
    function = f"create function f() returns trigger language plpgsql as $$ begin {body} return new; end $$;"
    trigger = "create trigger t before insert on t for each row execute function f();"
    start = write(1, f"create table t (a int);\n{function}\n{trigger}")
    return (start, *(write(number, "insert into t values (1);") for number in range(2, 5)))


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("perform pg_advisory_lock(5);", "an advisory lock"),
        ("execute 'prepare p as select 1';", "a prepared statement"),
        ("perform set_config('session_replication_role', 'replica', false);", "session_replication_role"),
        ("perform set_config('lock_timeout', '0', false);", "lock_timeout"),
    ],
)
def test_session_state_of_a_trigger_is_detected_before_the_next_migration(
    database, other, write, body: str, left: str
) -> None:
    with pytest.raises(
        SessionStateChanged, match=f"^0002 step_2 is done, but it left session state: .*{left}"
    ):
        migrate(database, triggered(write, body))

    assert versions(other) == [1, 2]
    assert other.execute("select count(*) from t").fetchone() == (1,)


CODE = """
create table locked ();
create table rows as select 1 as a;
create function slow(int) returns boolean language plpgsql as $$
begin perform pg_sleep(0.3); return true; end $$;
create function keep(int) returns boolean language plpgsql as $$
begin perform set_config('my.own', 'x', false); return true; end $$;
create function report(int) returns boolean language plpgsql as $$
begin raise notice 'my.own is <%>', current_setting('my.own', true); return true; end $$;
"""


@pytest.fixture
def after_code(write):
    """One message: a table, a slow check, a check that changes a setting, a lock on `locked`."""
    return (
        write(1, CODE),
        write(2, "create table x ();"),
        write(3, "alter table rows add check (slow(a));"),
        write(4, "alter table rows add check (keep(a));"),
        write(5, "alter table locked add b int; alter table rows add check (report(a));"),
    )


def test_a_migration_after_a_slow_one_has_its_own_duration(database, other, after_code, messages) -> None:
    migrate(database, after_code)

    took = "select version, (duration_ms ->> -1)::float8 < 200 from aigym_db.event where kind = 'apply'"
    assert dict(other.execute(took).fetchall()) == {1: True, 2: True, 3: False, 4: True, 5: True}
    assert messages == [1, 4]


def test_a_retried_migration_records_its_lock_wait_and_inherits_no_setting(
    database, other, after_code, listener, messages
) -> None:
    migrate(database, after_code[:1])
    with psycopg.connect(database) as blocker:
        blocker.execute("lock table locked")
        listener.on_wait = lambda waiting: blocker.rollback() if waiting.reason == "retry" else None

        migrate(database, after_code, options=Options(lock_timeout_ms=300), observer=listener)

    assert all(waiting.waited_s >= 0.3 for waiting in listener.waits if waiting.reason == "retry")
    lost = "select version, lock_wait_ms::text::float8 from aigym_db.event where kind = 'apply' order by id"
    assert [version for version, lost_ms in other.execute(lost).fetchall() if lost_ms >= 300] == [5]
    assert [notice.message for notice in listener.notices] == ["my.own is <>"]


def test_a_message_has_a_limit(write) -> None:
    probe: Any = SimpleNamespace(session_state="select ''")

    def transaction(text: str) -> MigrationTransaction:
        migration = write(1, text)
        return MigrationTransaction.of(
            probe, migration, "up", migration.up, steps(migration.up), durable=False
        )

    small, big = (
        transaction("create table a ();"),
        transaction(f"comment on table a is '{'x' * MOST_CHARACTERS}'"),
    )

    assert len(message_batch.together([small] * 50, MOST)) == MOST
    assert len(message_batch.together([small, big, small], MOST)) == 1
    assert len(message_batch.together([big, small], MOST)) == 1


def test_a_message_grows_while_it_is_fast_and_shrinks_when_it_is_slow(monkeypatch) -> None:
    monkeypatch.setattr(message_batch, "ENOUGH_MS", 50.0)
    pace, sizes = MessageSize(), []

    def learn(duration_ms: float) -> None:
        pace.adjust(pace.size, duration_ms)
        sizes.append(pace.size)

    learn(1), learn(4), learn(16), learn(32), learn(320), learn(5_000), learn(1)

    assert sizes == [4, 16, 32, 32, 5, 1, 4]
