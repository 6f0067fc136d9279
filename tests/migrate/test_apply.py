"""Applying migrations to a database."""

from __future__ import annotations

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.errors import (
    EditedMigration,
    ForbiddenStatement,
    LedgerChanged,
    ReadOnly,
    StatementFailed,
    UnfrozenMigration,
)
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options
from aigym_db.migrate.plan import plan_up


def tables(connection) -> list[str]:
    rows = connection.execute("select tablename from pg_tables where schemaname = 'public' order by 1")
    return [row[0] for row in rows]


def kinds(connection) -> list[str]:
    return [row[0] for row in connection.execute("select kind::text from aigym_db.event order by id")]


def test_pending_migrations_are_applied_in_order_and_reported_after_the_commit(
    database, other, write, listener
) -> None:
    seen = []
    listener.finished = lambda finished: seen.append((finished.migration.version, tables(other)))

    migrate(database, (write(1, "create table a ();"), write(2, "create table b ();")), observer=listener)

    assert seen == [(1, ["a"]), (2, ["a", "b"])]


def test_a_second_run_writes_nothing_and_takes_no_lock(database, other, write, listener) -> None:
    line = (write(1, "create table a ();"),)
    migrate(database, line)
    before = kinds(other)

    done = migrate(database, line, observer=listener)

    assert (done, listener.plans[0].migrations, kinds(other)) == ((), (), before)


def test_a_run_stops_at_the_given_version(database, other, write) -> None:
    migrate(database, (write(1, "create table a ();"), write(2, "create table b ();")), to=1)

    assert tables(other) == ["a"]


def test_a_failed_statement_rolls_back_its_file(database, other, write) -> None:
    line = (
        write(1, "create table a ();"),
        write(2, "create table b ();\nselect 'é😀', 1 / 0;\ncreate table c ();"),
    )

    with pytest.raises(StatementFailed) as error:
        migrate(database, line)

    assert tables(other) == ["a"]
    assert [row.version for row in ledger.applied(other)] == [1]
    assert kinds(other) == ["start", "apply", "fail"]
    assert (error.value.exit_status, error.value.place.line) == (4, 4)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("select nope;", 3, 8),
        ("-- ünï 😀\nselect '😀é', nope;", 4, 14),
        ("select 1;\r\n/* 😀 */ select\n  'é', nope;".replace("\r", ""), 5, 8),
        ("select 1; select 2;\nselect 1 / 0;", 4, 1),
    ],
)
def test_an_error_has_its_position_in_a_file_with_any_unicode(
    database, write, text: str, line: int, column: int
) -> None:
    with pytest.raises(StatementFailed) as error:
        migrate(database, (write(1, text),))

    place = error.value.place
    assert (place.file, place.line, place.column) == ("migrations/0001_step_1.sql", line, column)


def test_all_fields_of_a_server_error_are_shown(database, write) -> None:
    raise_statement = "raise exception 'no' using detail = 'because', hint = 'try'"

    with pytest.raises(StatementFailed) as error:
        migrate(database, (write(1, f"do $$ begin {raise_statement}; end $$;"),))

    for words in ("SQLSTATE: P0001", "DETAIL: because", "HINT: try", "CONTEXT: PL/pgSQL"):
        assert words in error.value.detail


def test_a_constraint_violation_at_commit_rolls_back_the_file(database, other, write) -> None:
    text = (
        "create table a (id int primary key); create table b (a_id int references a initially deferred); "
        "insert into b values (1);"
    )

    with pytest.raises(StatementFailed, match="foreign key"):
        migrate(database, (write(1, text),))

    assert tables(other) == []
    assert ledger.applied(other) == ()


def test_a_commit_in_a_later_file_is_rejected_before_anything_is_sent(database, other, write) -> None:
    with pytest.raises(ForbiddenStatement):
        migrate(database, (write(1, "create table a ();"), write(2, "select 1; commit;")))

    assert tables(other) == []
    assert not ledger.exists(other)


def test_notices_and_warnings_are_reported_with_their_position(database, write, listener) -> None:
    text = (
        "create table if not exists a ();\ncreate table if not exists a ();\ndo $$ begin raise warning "
        "'ü'; end $$;"
    )

    migrate(database, (write(1, text),), observer=listener)

    assert [(notice.severity, notice.message) for notice in listener.notices] == [
        ("NOTICE", 'relation "a" already exists, skipping'),
        ("WARNING", "ü"),
    ]


def test_migrations_run_as_the_owner_and_ledger_rows_as_the_connected_role(database, other, write) -> None:
    line = (
        write(
            1,
            "create role acting_owner; grant create on schema public to acting_owner;",
            options=" role:none",
        ),
        write(2, "create table a ();"),
        write(3, "create table b ();", options=" role:none"),
    )

    try:
        migrate(database, line, options=Options(owner="acting_owner"))

        owners = other.execute(
            "select tablename, tableowner from pg_tables where schemaname = 'public' order by 1"
        )
        assert owners.fetchall() == [("a", "acting_owner"), ("b", "postgres")]
        assert {row.applied_by for row in ledger.applied(other)} == {"postgres"}
    finally:
        other.execute("drop owned by acting_owner; drop role acting_owner")


def test_a_missing_owner_role_is_an_error(database, other, write) -> None:
    with pytest.raises(StatementFailed, match="missing_role") as error:
        migrate(database, (write(1, "create table a ();"),), options=Options(owner="missing_role"))

    assert "role:none" in error.value.hint
    assert tables(other) == []


def test_rows_hidden_by_forced_row_level_security_are_an_error(database, other, write) -> None:
    other.execute("create role plain_owner; grant create on schema public to plain_owner")
    line = (
        write(1, "create table a (x int); insert into a values (1);"),
        write(2, "alter table a enable row level security; alter table a force row level security;"),
        write(3, "update a set x = 2;"),
    )

    try:
        with pytest.raises(StatementFailed, match="row-level security"):
            migrate(database, line, options=Options(owner="plain_owner"))
    finally:
        other.execute("drop owned by plain_owner; drop role plain_owner")


@pytest.mark.parametrize("setting", ["default_transaction_read_only = on"])
def test_a_read_only_session_is_rejected_before_any_change(database, other, write, setting: str) -> None:
    other.execute(f"alter database {other.info.dbname} set {setting}")

    with pytest.raises(ReadOnly):
        migrate(database, (write(1, "create table a ();"),))


def test_a_role_without_privileges_is_rejected_before_any_change(database, other, write) -> None:
    line = (write(1, "create table a ();"),)
    migrate(database, line)
    other.execute("create role reader login")

    try:
        dsn = psycopg.conninfo.make_conninfo(database, user="reader")
        assert migrate(dsn, line) == ()
        with pytest.raises(ReadOnly, match="reader"):
            migrate(dsn, (*line, write(2, "create table b ();")))
    finally:
        other.execute("drop role reader")

    assert kinds(other) == ["start", "apply"]


def test_drafts_are_applied_to_the_local_database_of_the_project_only(database, other, write) -> None:
    line = (write(1, "create table a ();"), write(2, "create table b ();"))

    with pytest.raises(UnfrozenMigration, match="0002 step_2 is not frozen"):
        migrate(database, line, options=Options(frozen=frozenset({1})))

    assert tables(other) == []
    migrate(database, line, options=Options(frozen=frozenset({1}), local=True))
    assert tables(other) == ["a", "b"]


def test_an_edited_file_is_shown_as_a_diff_against_the_ledger(database, write) -> None:
    migrate(database, (write(1, "select 'before';"),))

    with pytest.raises(EditedMigration) as error:
        migrate(database, (write(1, "select 'after';"),))

    assert "-select 'before';\n+select 'after';" in error.value.detail


def test_a_plan_for_another_ledger_is_rejected(database, other, write) -> None:
    line = (write(1, "create table a ();"), write(2, "create table b ();"))
    plan = plan_up(line, ())
    migrate(database, line, to=1)

    with pytest.raises(LedgerChanged):
        migrate(database, line, plan=plan)

    assert tables(other) == ["a"]


@pytest.mark.parametrize(("durable", "expected"), [(False, ["off", "off", "on"]), (True, ["on", "on", "on"])])
def test_only_the_last_commit_of_a_run_waits_for_the_disk(
    database, other, write, durable: bool, expected: list[str]
) -> None:
    other.execute(f"alter database {other.info.dbname} set synchronous_commit = on")
    note = "insert into seen values (current_setting('synchronous_commit'));"
    line = (write(1, f"create table seen (value text); {note}"), write(2, note), write(3, note))

    migrate(database, line, options=Options(durable=durable))

    assert [row[0] for row in other.execute("select value from seen")] == expected


def test_a_run_of_one_migration_waits_for_the_disk(database, other, write) -> None:
    other.execute(f"alter database {other.info.dbname} set synchronous_commit = on")

    migrate(
        database, (write(1, "create table seen as select current_setting('synchronous_commit') as value;"),)
    )

    assert other.execute("select value from seen").fetchone() == ("on",)


def test_an_empty_migration_is_applied_like_any_other(database, other, write) -> None:
    migrate(database, (write(1, "-- nothing yet"),))

    assert [row.version for row in ledger.applied(other)] == [1]


def test_a_migration_of_thousands_of_statements_is_one_message(database, other, write) -> None:
    text = "create table a (x int);\n" + "insert into a values (1);\n" * 3000

    migrate(database, (write(1, text),))

    assert other.execute("select count(*) from a").fetchone() == (3000,)
    moments = other.execute("select jsonb_array_length(duration_ms) from aigym_db.event where kind = 'apply'")
    assert 1 < moments.fetchone()[0] <= 100
