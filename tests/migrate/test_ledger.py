"""The ledger on a real server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.errors import ReadOnly
from aigym_db.migrate.apply import migrate


def test_a_database_without_a_ledger_has_applied_nothing(other) -> None:
    assert ledger.applied(other) == ()


def test_asking_for_a_ledger_that_is_not_there_does_not_spoil_a_transaction(database) -> None:
    with psycopg.connect(database) as connection:
        assert ledger.applied(connection) == ()
        assert connection.execute("select 1").fetchone() == (1,)


def test_what_is_applied_is_read_back(database, other, write) -> None:
    migration = write(1, "create table app (id int);")

    migrate(database, (migration,))

    (row,) = ledger.applied(other)
    assert (row.version, row.name, row.checksum) == (1, "step_1", f"sha256:{migration.checksum}")
    assert row.applied_by == "postgres"
    assert row.applied_at.tzinfo is not None


def test_the_ledger_keeps_the_very_text_that_ran(database, other, write) -> None:
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


def test_eight_sessions_make_one_ledger(database) -> None:
    def make(_: int) -> bool:
        with psycopg.connect(database, autocommit=True) as connection:
            return ledger.create(connection)

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, range(8)))

    assert sum(made) == 1


def test_everybody_may_see_what_is_applied_and_nobody_else_the_events(database, server, other, write) -> None:
    other.execute("create role nobody_in_particular login")
    migrate(database, (write(1, "select 1;"),))

    try:
        with psycopg.connect(database, user="nobody_in_particular", autocommit=True) as connection:
            seen = ledger.applied(connection)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("select * from aigym_db.event")
    finally:
        other.execute("drop role nobody_in_particular")

    assert [row.version for row in seen] == [1]


def test_a_role_that_may_not_even_look_is_told_what_to_grant(database, other, write) -> None:
    migrate(database, (write(1, "select 1;"),))
    other.execute("revoke select on aigym_db.applied from public; create role blind_one login")

    try:
        with (
            psycopg.connect(database, user="blind_one", autocommit=True) as connection,
            pytest.raises(ReadOnly) as refusal,
        ):
            ledger.applied(connection)
    finally:
        other.execute("drop role blind_one")

    assert "grant" in refusal.value.hint


def test_an_event_says_who_did_what_from_where_with_what(database, other, write) -> None:
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
def test_production_is_what_the_database_says_it_is(database, other, statement: str, marked: bool) -> None:
    name = other.info.dbname
    other.execute(f"alter database {name} {statement}" if statement else "select 1")

    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("set aigym.environment = 'staging'")
        assert ledger.marked_production(connection) is marked
