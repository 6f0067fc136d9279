"""Migrate the tenant schemas of a database, each with its own tables and history."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from aigym_db.database import ledger, locks
from aigym_db.migrate.fleet.rollout import migrate_fleet
from aigym_db.migrate.options import Options
from aigym_db.migrate.tenants import tenants
from aigym_db.project.targets import Fleet

COUNT = 12
TENANTS = [f"tenant_{number:02d}" for number in range(COUNT)]


@pytest.fixture
def tenanted(database, other) -> str:
    """A database with twelve tenant schemas and one other schema."""
    for name in [*TENANTS, "tenants"]:
        other.execute(f"create schema {name}")
    return database


def test_tenants_of_one_database_each_have_their_own_tables_and_history(
    tenanted, other, target, line, states, versions
) -> None:
    fleet = Fleet((target("shop", tenanted, schemas="tenant_*"),), parallel=6)

    result = migrate_fleet(fleet, line)

    assert states(result) == {f"shop/{name}": "done" for name in TENANTS}
    assert [versions(tenanted, name) for name in TENANTS] == [[1, 2, 3]] * COUNT
    made = other.execute("select schemaname from pg_tables where tablename = 'notes' order by 1").fetchall()
    assert made == [(name,) for name in TENANTS]
    assert versions(tenanted) == []
    assert other.execute("select count(*) from aigym_db.event where scope = ''").fetchone() == (0,)


def test_a_tenant_with_its_own_target_is_not_matched_by_a_pattern(
    tenanted, target, line, diary, states
) -> None:
    canary = target("first", tenanted, schema="tenant_05", canary=True)

    result = migrate_fleet(
        Fleet((target("shop", tenanted, schemas="tenant_*"), canary)), line, observer=diary
    )

    assert diary.pages[:2] == [("started", "first"), ("ended", "first")]
    assert (len(result.targets), "shop/tenant_05" in states(result)) == (COUNT, False)


@pytest.mark.parametrize("more", [{"schema": "tenant_x"}, {"schemas": "tenent_*"}])
def test_a_tenant_that_does_not_exist_is_rejected(tenanted, other, target, line, more) -> None:
    result = migrate_fleet(Fleet((target("shop", tenanted, **more),)), line)

    assert (result.exit_status, result.error.code) == (2, "AIG-P017")
    assert result.error.place.file == "targets.toml"
    assert not ledger.exists(other)


def test_only_stars_and_question_marks_are_special_in_a_pattern(other) -> None:
    for name in ("a.b1", "a.b22", "axb1", "a.b", "aigym_db"):
        other.execute(psycopg.sql.SQL("create schema {}").format(psycopg.sql.Identifier(name)))

    assert tenants(other, "a.b?") == ("a.b1",)
    assert tenants(other, "a.b*") == ("a.b", "a.b1", "a.b22")
    assert tenants(other, "*") == ("a.b", "a.b1", "a.b22", "axb1")


def test_a_pattern_does_not_match_public(database, other, target, line, states) -> None:
    other.execute("create schema tenant_1")
    fleet = Fleet((target("own", database), target("all", database, schemas="*")))

    assert states(migrate_fleet(fleet, line)) == {"own": "done", "all/tenant_1": "done"}
    assert other.execute("select distinct scope from aigym_db.applied order by 1").fetchall() == [
        ("",),
        ("tenant_1",),
    ]


@pytest.mark.parametrize("more", [{"schema": "$user"}, {"schemas": "*"}], ids=["named", "by a pattern"])
def test_a_schema_called_user_with_a_dollar_sign_is_rejected(database, other, target, line, more) -> None:
    other.execute('create schema "$user"; create schema authorization current_user')

    result = migrate_fleet(Fleet((target("odd", database, **more),)), line)

    assert (result.exit_status, result.error.code) == (2, "AIG-P017")
    assert 'alter schema "$user" rename' in result.error.hint
    assert not ledger.exists(other)


def test_the_runner_lock_of_a_tenant_does_not_block_others(tenanted, other, target, line, states) -> None:
    locks.try_acquire(other, 1, "tenant_00")
    targets = tuple(target(name, tenanted, schema=name) for name in ("tenant_00", "tenant_01"))
    fleet = Fleet((*targets, target("own", tenanted)), on_failure="continue")

    result = migrate_fleet(fleet, line, options=Options(lock_wait_s=0))

    assert states(result) == {"tenant_00": "failed", "tenant_01": "done", "own": "done"}
    assert (result.error.code, result.exit_status) == ("AIG-L001", 6)
    assert "is migrating the schema tenant_00" in result.error.message
    assert f"pid {other.info.backend_pid}" in result.error.detail


def test_errors_and_edits_are_reported_for_their_own_tenant(tenanted, other, target, broken, write) -> None:
    other.execute("create table tenant_01.bad ()")
    targets = tuple(target(name, tenanted, schema=name) for name in ("tenant_00", "tenant_01"))
    migrate_fleet(Fleet(targets, on_failure="continue"), broken)

    result = migrate_fleet(Fleet(targets), (broken[0], write(2, "select 'edited';"), broken[2]))

    failures = "select scope, version from aigym_db.event where kind = 'fail'"
    assert other.execute(failures).fetchall() == [("tenant_01", 2)]
    assert [each.state for each in result.targets] == ["rejected", "not started"]
    assert "+select 'edited';" in result.error.detail


def test_tenants_and_the_database_itself_have_separate_histories(tenanted, target, line) -> None:
    fleet = Fleet((target("own", tenanted), target("tenant", tenanted, schema="tenant_00")))
    migrate_fleet(replace(fleet, targets=fleet.targets[:1]), line, to=2)

    result = migrate_fleet(fleet, line)

    assert [each.pending for each in result.targets] == [1, 3]


def test_any_schema_name_is_accepted(database, other, target, line, versions) -> None:
    name = 'a "b", c\\d e\'f %s'
    other.execute(psycopg.sql.SQL("create schema {}").format(psycopg.sql.Identifier(name)))

    result = migrate_fleet(Fleet((target("odd", database, schema=name),)), line)

    assert (result.error, versions(database, name)) == (None, [1, 2, 3])


def test_concurrent_index_builds_of_many_tenants_do_not_deadlock(tenanted, other, target, write) -> None:
    line = (
        write(1, "create table notes (id int, text text);"),
        write(2, "create index concurrently notes_id_idx on notes (id);", options=" transaction:false"),
        write(
            3,
            "create index concurrently notes_text_idx on notes (lower(text)) where id > 0;",
            options=" transaction:false",
        ),
        write(4, "alter table notes add column more int;"),
    )

    result = migrate_fleet(Fleet((target("shop", tenanted, schemas="tenant_*"),), parallel=12), line)

    assert result.error is None
    valid = "select count(*) from pg_index where indisvalid and indrelid::regclass::text like '%.notes'"
    assert other.execute(valid).fetchone() == (2 * COUNT,)
    assert other.execute("select count(*) from aigym_db.event where scope = ''").fetchone() == (0,)


def test_a_backfill_changes_the_rows_of_its_own_tenant(tenanted, other, target, write) -> None:
    rows = "insert into notes select n, null from generate_series(1, 500) n;"
    line = (
        write(1, f"create table notes (id int primary key, text text); {rows}"),
        write(2, "update notes set text = current_schema() where text is null;", options=" batch:100"),
    )

    result = migrate_fleet(Fleet((target("shop", tenanted, schemas="tenant_*"),)), line)

    assert result.error is None
    texts = [other.execute(f"select distinct text from {name}.notes").fetchall() for name in TENANTS]
    assert texts == [[(name,)] for name in TENANTS]
    assert other.execute("select count(*) from aigym_db.event where scope = ''").fetchone() == (0,)


def test_an_interrupted_migration_of_a_tenant_is_resumed_in_its_own_schema(
    tenanted, other, target, write
) -> None:
    line = (
        write(1, "create table notes (id int);"),
        write(2, "create index concurrently notes_id_idx on notes (id);", options=" transaction:false"),
    )
    fleet = Fleet((target("a", tenanted, schema="tenant_00"), target("b", tenanted, schema="tenant_01")))
    migrate_fleet(fleet, line, to=1)
    begun = ledger.Event(
        "intent",
        2,
        "step_2",
        ledger.checksum(line[1]),
        "up",
        1,
        sql="create index concurrently notes_id_idx on notes (id)",
        detail={"index": None},
        scope="tenant_01",
    )
    ledger.record(other, begun)

    result = migrate_fleet(fleet, line)

    assert result.error is None
    built = "select count(*) from pg_indexes where indexname = 'notes_id_idx' and schemaname like 'tenant%'"
    assert other.execute(built).fetchone() == (2,)
    resumed = [each.finished[0].resumed_at for each in result.targets]
    assert resumed == [None, 1]
