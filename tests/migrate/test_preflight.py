"""Checks of a migration before it is sent."""

from __future__ import annotations

import pytest

from aigym_db.errors import BadSql, ForbiddenStatement
from aigym_db.migrate.preflight import inspect, steps

CONTROL = [
    "begin",
    "BEGIN",
    "start transaction",
    "commit",
    "COMMIT /* all */ work",
    "end",
    "rollback",
    "abort",
    "savepoint a",
    "rollback to savepoint a",
    "release savepoint a",
    "prepare transaction 'a'",
    "commit prepared 'a'",
]
ONLY_OUTSIDE = [
    "create index concurrently i on t (a)",
    "create unique index concurrently if not exists i on t (a)",
    "drop index concurrently i",
    "reindex index concurrently i",
    "reindex (verbose, concurrently) table t",
    "reindex schema app",
    "vacuum t",
    "vacuum (full) t",
    "cluster",
    "create database x",
    "drop database x",
    "create tablespace x location '/x'",
    "drop tablespace x",
    "alter system set work_mem = '1GB'",
    "alter table p detach partition q concurrently",
    "create subscription s connection 'dbname=x' publication p",
]
NOWHERE = [
    "set search_path = app",
    "set search_path to default",
    "set session lock_timeout = 0",
    "set time zone 'UTC'",
    "reset search_path",
    "reset all",
    "set role app",
    "set local role app",
    "reset role",
    "set session authorization app",
    "set session characteristics as transaction read only",
    "discard all",
    "discard temp",
    "prepare p as select 1",
    "deallocate p",
    "DEALLOCATE PREPARE ALL",
    "copy t to stdout",
    "set client_encoding = 'LATIN1'",
    "set local client_encoding = latin1",
    "set local names 'sjis'",
    "set standard_conforming_strings = on",
    "set local standard_conforming_strings = off",
    "set local standard_conforming_strings = 0",
    "set local standard_conforming_strings = 1.5",
]
FINE = [
    "select 'begin; commit'",
    "select $$ commit; $$",
    "set local search_path = app",
    "set local lock_timeout = '1s'",
    "set transaction isolation level serializable",
    "set local client_encoding = 'utf-8'",
    "set local client_encoding to default",
    "set local names 'UTF8'",
    "set local standard_conforming_strings = on",
    "set local standard_conforming_strings = 1",
    "set constraints all immediate",
    "analyze t",
    "create index i on t (a)",
    "drop index i",
    "reindex table t",
    "cluster t",
    "create temp table x (a int) on commit drop",
    "alter table p detach partition q",
    "create subscription s connection 'dbname=x' publication p with (connect = false)",
    "do $$ begin perform 1; end $$",
    "create function f() returns int language sql begin atomic select 1; select 2; end",
    "create rule r as on insert to t do (select 1; select 2)",
    'create table "commit" (begin int)',
    "alter database x set a.b = 'c'",
]


@pytest.mark.parametrize("statement", CONTROL + ONLY_OUTSIDE + NOWHERE)
def test_a_statement_forbidden_in_a_transaction_block_is_rejected_at_its_position(
    write, statement: str
) -> None:
    migration = write(1, f"select 'é€😀';\n-- ü\n  /* {{ */ {statement};")

    with pytest.raises(ForbiddenStatement) as error:
        steps(migration.up)

    place = error.value.place
    assert (place.file, place.line, place.column) == ("migrations/0001_step_1.sql", 5, 11)
    assert error.value.hint


@pytest.mark.parametrize("statement", ONLY_OUTSIDE)
def test_a_non_transactional_file_may_contain_such_statements(write, statement: str) -> None:
    migration = write(1, f"{statement};", options=" transaction:false")

    assert [step.text for step in steps(migration.up)] == [statement]


@pytest.mark.parametrize("statement", CONTROL + NOWHERE + ["set local lock_timeout = 0"])
def test_session_state_is_rejected_in_non_transactional_files(write, statement: str) -> None:
    with pytest.raises(ForbiddenStatement):
        steps(write(1, f"{statement};", options=" transaction:false").up)


@pytest.mark.parametrize("statement", FINE)
def test_harmless_statements_are_accepted(write, statement: str) -> None:
    assert [step.text for step in steps(write(1, f"select 1; {statement};").up)] == ["select 1", statement]


def test_the_hint_contains_the_marker(write) -> None:
    migration = write(1, "vacuum t;", options=" lock_timeout:5s")

    with pytest.raises(ForbiddenStatement) as error:
        steps(migration.up)

    assert "`-- migrate:up lock_timeout:5s transaction:false`" in error.value.hint


def test_the_down_part_is_read_with_its_own_options(write) -> None:
    migration = write(1, "vacuum t;", "select 1;\nvacuum t;", options=" transaction:false")

    with pytest.raises(ForbiddenStatement) as error:
        steps(migration.down)

    assert (error.value.place.line, "migrate:down" in error.value.hint) == (6, True)


def test_a_temporary_table_that_outlives_the_file_is_rejected(write) -> None:
    with pytest.raises(ForbiddenStatement, match="temporary table x"):
        steps(write(1, "create temp table x (a int);").up)


def test_an_index_built_concurrently_needs_a_name(write) -> None:
    with pytest.raises(ForbiddenStatement, match="requires an index name"):
        steps(write(1, "create index concurrently on t (a);", options=" transaction:false").up)


@pytest.mark.parametrize(
    "use",
    [
        "insert into t values ('new'::app.kind)",
        "update t set a = cast('new'::text as kind)",
        "select kind 'new'",
        "alter table t add a app.kind default 'new'",
        "create table u (a kind default ('new'))",
    ],
)
def test_a_new_enum_value_cannot_be_used_where_it_is_added(write, use: str) -> None:
    with pytest.raises(ForbiddenStatement, match="adds it to the type kind") as error:
        steps(write(1, f"alter type app.kind add value 'new';\n{use};").up)

    assert error.value.place.line == 4


@pytest.mark.parametrize(
    "file",
    [
        "create type app.kind as enum ('old'); alter type app.kind add value 'new'; insert into t values "
        "('new'::app.kind)",
        "alter type app.kind add value 'new'; comment on type app.kind is 'new'",
        "alter type app.kind add value 'new'; alter type app.kind add value 'newer' after 'new'",
        "insert into t values ('new'::kind); alter type app.kind add value 'new'",
        "alter type app.kind add value 'new'; insert into t values ('new')",
        "alter type app.kind add value 'new'; select 'new'::text; create table u (a text default 'new')",
    ],
)
def test_other_uses_of_the_same_word_are_accepted(write, file: str) -> None:
    assert steps(write(1, f"{file};").up)


@pytest.mark.parametrize("line", ["\\restrict", "\\connect other", "selec 1;"])
def test_invalid_sql_is_rejected_at_its_position(write, line: str) -> None:
    with pytest.raises(BadSql) as error:
        steps(write(1, f"select 'é€😀';\n{line}").up)

    assert error.value.place.line == 4


@pytest.mark.parametrize("text", ["", "-- nothing", "/* nothing */ ;;"])
def test_a_part_may_be_empty(write, text: str) -> None:
    assert steps(write(1, text).up) == ()


@pytest.mark.parametrize("read", [steps, inspect])
@pytest.mark.parametrize("before", ["", "insert into t values (1);\n" * 3])
def test_text_after_a_nul_character_is_not_dropped(write, read, before: str) -> None:
    with pytest.raises(BadSql, match="NUL") as error:
        read(write(1, f"{before}select 1;\0 drop table t;").up)

    assert error.value.place.column == 10


@pytest.mark.parametrize("setting", ["client_encoding = 'LATIN1'", "standard_conforming_strings = off"])
@pytest.mark.parametrize("scope", ["", "local "])
def test_a_setting_without_effect_on_the_text_has_no_hint_to_make_it_local(write, scope, setting) -> None:
    with pytest.raises(ForbiddenStatement, match="after it was read") as error:
        steps(write(1, f"set {scope}{setting};").up)

    assert error.value.hint.startswith("Remove it")
