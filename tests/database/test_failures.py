"""Errors of PostgreSQL as errors of the package: class, message, detail and hint."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from aigym_db.database.connect import SessionSettings, connect, explain_error
from aigym_db.errors import ConnectionLost, LockTimeout, ReadOnly, ServerError, StatementFailed
from aigym_db.model.source import Place

SECRET = "s3cr3tword"


@pytest.fixture
def failure(database: str) -> Callable[[str], psycopg.Error]:
    """Return the exception of psycopg for SQL that runs in an empty database."""

    def of(sql: str) -> psycopg.Error:
        with (
            connect(database, session=SessionSettings(lock_timeout_ms=50), autocommit=True) as connection,
            pytest.raises(psycopg.Error) as raised,
        ):
            connection.execute(sql.encode())
        return raised.value

    return of


@pytest.mark.parametrize(
    ("sql", "kind", "state"),
    [
        ("select * from no_such_table", StatementFailed, "42P01"),
        ("selekt 1", StatementFailed, "42601"),
        ("set statement_timeout = 1; select pg_sleep(9)", StatementFailed, "57014"),
        ("begin read only; create table public.x ()", ReadOnly, "25006"),
        (
            "do $$ begin raise exception 'no' using errcode = 'lock_not_available'; end $$",
            LockTimeout,
            "55P03",
        ),
        ("select pg_terminate_backend(pg_backend_pid())", ConnectionLost, "57P01"),
        ("do $$ begin raise exception 'odd' using errcode = 'ZZ999'; end $$", StatementFailed, "ZZ999"),
    ],
)
def test_each_error_has_a_class_a_sqlstate_and_a_hint(
    failure: Callable[[str], psycopg.Error], sql: str, kind: type[ServerError], state: str
) -> None:
    error = explain_error(failure(sql))

    assert type(error) is kind
    assert f"SQLSTATE: {state}" in error.detail
    assert error.hint[0].isupper()


def test_a_statement_that_waits_too_long_for_a_lock_raises_a_lock_timeout(database: str) -> None:
    with psycopg.connect(database) as holder:
        holder.execute("create table busy ()")
        holder.commit()
        holder.execute("lock table busy")

        with (
            connect(database, session=SessionSettings(lock_timeout_ms=20)) as connection,
            pytest.raises(psycopg.Error) as raised,
        ):
            connection.execute("select from public.busy")

    error = explain_error(raised.value)
    assert isinstance(error, LockTimeout)
    assert "lock timeout" in error.message


def test_a_connection_that_ends_without_a_message_is_lost(database: str) -> None:
    with connect(database) as connection:
        connection.execute("select 1")
        connection.close()
        with pytest.raises(psycopg.Error) as raised:
            connection.execute("select 1")

    assert isinstance(explain_error(raised.value), ConnectionLost)


def test_detail_hint_and_context_of_the_server_are_kept(failure: Callable[[str], psycopg.Error]) -> None:
    raised = failure(
        "do $$ begin raise exception 'primary' using detail = 'the detail', hint = 'the hint'; end $$"
    )

    error = explain_error(raised)

    assert error.message == "PostgreSQL reported an error: primary"
    assert error.detail.splitlines() == [
        "SQLSTATE: P0001",
        "DETAIL: the detail",
        "HINT: the hint",
        "CONTEXT: PL/pgSQL function inline_code_block line 1 at RAISE",
    ]


def test_the_message_begins_with_the_failed_operation_and_has_its_place(
    failure: Callable[[str], psycopg.Error],
) -> None:
    place = Place("migrations/0042_x.sql", 3, 7)

    error = explain_error(failure("select no_such"), place=place, doing="Migration 0042 failed")

    assert error.message == 'Migration 0042 failed: column "no_such" does not exist'
    assert error.place == place


def test_rows_that_a_policy_hides_are_an_error_with_a_hint(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            """
            drop role if exists hidden_reader;
            create role hidden_reader;
            create table public.hidden (id int);
            alter table public.hidden enable row level security;
            grant update, select on public.hidden to hidden_reader
            """
        )

    with (
        connect(database, session=SessionSettings(role="hidden_reader")) as connection,
        pytest.raises(psycopg.Error) as raised,
    ):
        connection.execute("update public.hidden set id = 1")

    assert "BYPASSRLS" in explain_error(raised.value).hint


@pytest.mark.parametrize(
    "statement",
    [
        f"execute 'alter role no_such_role password ''{SECRET}'''",
        f"alter role no_such_role password '{SECRET}'",
        f"create role no_such_role PASSWORD '{SECRET}' in role no_such_other",
    ],
)
def test_a_password_in_a_statement_is_not_repeated(
    failure: Callable[[str], psycopg.Error], statement: str
) -> None:
    error = explain_error(failure(f"do $$ begin {statement}; end $$"))

    assert "CONTEXT" in error.detail
    assert SECRET not in f"{error.message}{error.detail}"


@pytest.mark.parametrize(
    ("sql", "hint"),
    [
        ("create table pg_catalog_twice (a int, a int)", "Find out what created"),
        ("select 1 from no_such_table", "Correct the statement"),
    ],
)
def test_an_existing_object_has_another_hint_than_a_missing_one(
    failure: Callable[[str], psycopg.Error], sql: str, hint: str
) -> None:
    assert explain_error(failure(sql)).hint.startswith(hint)
