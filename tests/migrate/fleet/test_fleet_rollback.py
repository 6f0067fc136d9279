"""Roll back many databases and tenant schemas to a version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from aigym_db.database import ledger
from aigym_db.errors import AigymError, DataLoss
from aigym_db.migrate.fleet.result import FleetObserver
from aigym_db.migrate.fleet.rollout import migrate_fleet, rollback_fleet
from aigym_db.migrate.fleet.status import fleet_status
from aigym_db.model.migration import Plan
from aigym_db.project.targets import Fleet

NON_TRANSACTIONAL = " transaction:false"


@pytest.fixture
def line(write):
    """The third creates a table for rows, the fourth an index in a non-transactional file."""
    return (
        write(1, "create table notes (id int);", "drop table notes;"),
        write(2, "alter table notes add text text;", "alter table notes drop text;"),
        write(3, "create table more (id int);", "drop table more;"),
        write(
            4,
            "create index concurrently notes_id_idx on notes (id);",
            "drop index concurrently notes_id_idx;",
            options=NON_TRANSACTIONAL,
            down_options=NON_TRANSACTIONAL,
        ),
    )


@pytest.fixture
def migrated(fleet, line) -> Fleet:
    """Five databases, the second a canary: three at version 4, one at 3, one at 2."""
    five = replace(fleet, targets=fleet.targets[:5])
    for targets, to in ((five.targets[:3], 4), (five.targets[3:4], 3), (five.targets[4:], 2)):
        assert migrate_fleet(replace(five, targets=targets), line, to=to).error is None
    return five


@pytest.fixture
def reader(server) -> Iterator[Callable[[str], str]]:
    """A function that returns the connection string of a role without privileges."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("create role fleet_reader login")
        yield lambda dsn: make_conninfo(dsn, user="fleet_reader")
        connection.execute("drop role fleet_reader")


def plan_of(error: AigymError | None) -> Plan:
    """The plan of the rollback that would lose data."""
    assert isinstance(error, DataLoss)
    return error.plan


def execute(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement)


def fill(dsn: str, schema: str = "public") -> None:
    execute(dsn, f"insert into {schema}.more values (1)")


def interrupt(connection, file, direction) -> None:
    """Write into the journal that the first statement of a non-transactional file is done."""
    begun = ledger.Event(
        "intent", file.version, file.name, ledger.checksum(file), direction, 1, sql="vacuum notes", detail={}
    )
    ledger.record(connection, begun)
    ledger.record(connection, replace(begun, kind="done"))


def all_versions(fleet: Fleet, versions) -> list[list[int]]:
    return [versions(target.dsn, target.schema) for target in fleet.targets]


def test_each_target_is_rolled_back_from_its_own_version(migrated, line, versions) -> None:
    result = rollback_fleet(migrated, line, to=2)

    assert (result.error, [each.pending for each in result.targets]) == (None, [2, 2, 2, 1, 0])
    rolled_back = [[done.migration.version for done in each.finished] for each in result.targets]
    assert rolled_back == [[4, 3], [4, 3], [4, 3], [3], []]
    assert all_versions(migrated, versions) == [[1, 2]] * 5


def test_a_target_at_an_older_version_has_nothing_to_roll_back(migrated, line, versions, states) -> None:
    result = rollback_fleet(migrated, line, to=3)

    assert set(states(result).values()) == {"done"}
    assert all_versions(migrated, versions) == [[1, 2, 3]] * 4 + [[1, 2]]


def test_canaries_are_rolled_back_first_and_the_others_do_not_start_if_one_fails(
    migrated, line, diary, versions
) -> None:
    execute(migrated.targets[1].dsn, "create view used as select text from notes")

    result = rollback_fleet(replace(migrated, on_failure="continue"), line, to=1, observer=diary)

    assert diary.pages == [("started", "shop-01"), ("ended", "shop-01")]
    assert (result.exit_status, result.targets[1].error.code) == (4, "AIG-S002")
    assert all_versions(migrated, versions)[:2] == [[1, 2, 3, 4], [1, 2]]


def test_data_loss_on_one_target_prevents_all_from_starting(migrated, line, versions, states) -> None:
    fill(migrated.targets[3].dsn)
    before = all_versions(migrated, versions)

    result = rollback_fleet(migrated, line, to=2)

    assert (result.exit_status, result.error.code) == (3, "AIG-G003")
    assert "more: 1 row" in result.error.detail
    assert list(states(result).values()).count("rejected") == 1
    assert all_versions(migrated, versions) == before


def test_with_on_failure_continue_only_the_target_with_data_loss_stays(migrated, line, versions) -> None:
    fill(migrated.targets[3].dsn)

    result = rollback_fleet(replace(migrated, on_failure="continue"), line, to=2)

    assert result.exit_status == 3
    assert all_versions(migrated, versions) == [[1, 2], [1, 2], [1, 2], [1, 2, 3], [1, 2]]


def test_yes_confirms_all_targets(migrated, line, versions) -> None:
    fill(migrated.targets[0].dsn)
    fill(migrated.targets[3].dsn)

    assert rollback_fleet(migrated, line, to=2, yes=True).error is None
    assert all_versions(migrated, versions) == [[1, 2]] * 5


def test_a_confirmation_for_one_target_does_not_cover_another(migrated, line, versions) -> None:
    first, _, third, *_ = migrated.targets
    fill(first.dsn)
    rejected = rollback_fleet(migrated, line, to=2)
    fill(third.dsn)

    result = rollback_fleet(migrated, line, to=2, confirmed={first: plan_of(rejected.error)})

    assert [each.error and each.error.code for each in result.targets] == [
        None,
        None,
        "AIG-G003",
        None,
        None,
    ]
    assert versions(first.dsn) == [1, 2, 3, 4]
    confirmed = {first: plan_of(rejected.error), third: plan_of(result.targets[2].error)}
    assert rollback_fleet(migrated, line, to=2, confirmed=confirmed).error is None


def test_a_confirmed_plan_does_not_run_after_the_ledger_changed(migrated, line, write, versions) -> None:
    first = replace(migrated, targets=migrated.targets[:1])
    fill(first.targets[0].dsn)
    rejected = rollback_fleet(first, line, to=2)
    longer = (*line, write(5, "create table last ();", "drop table last;"))
    assert migrate_fleet(first, longer).error is None

    result = rollback_fleet(first, longer, to=2, confirmed={first.targets[0]: plan_of(rejected.error)})

    assert result.error.code == "AIG-T006"
    assert versions(first.targets[0].dsn) == [1, 2, 3, 4, 5]


def test_rows_written_after_planning_are_not_lost(migrated, line, versions) -> None:
    class Filling(FleetObserver):
        def planned(self, outcomes) -> None:
            fill(migrated.targets[3].dsn)

    result = rollback_fleet(migrated, line, to=2, observer=Filling())

    assert (result.targets[3].state, result.targets[3].error.code) == ("failed", "AIG-G003")
    assert versions(migrated.targets[3].dsn) == [1, 2, 3]


def test_an_irreversible_migration_prevents_all_from_starting(migrated, line, write, versions) -> None:
    irreversible = (*line[:2], write(3, "create table more (id int);", None), line[3])
    targets = migrated.targets[4:]
    for target in targets:
        execute(target.dsn, "drop schema public, aigym_db cascade; create schema public")
    fleet = replace(migrated, targets=targets)
    assert migrate_fleet(fleet, irreversible).error is None

    result = rollback_fleet(fleet, irreversible, to=2)

    assert (result.error.code, result.exit_status) == ("AIG-G004", 3)
    assert all_versions(fleet, versions) == [[1, 2, 3, 4]]


def test_a_tenant_is_rolled_back_in_its_own_schema(database, other, target, line, versions) -> None:
    names = ["tenant_a", "tenant_b", "tenant_c"]
    for name in names:
        other.execute(f"create schema {name}")
    all_tenants = Fleet((target("shop", database, schemas="tenant_*"),), on_failure="continue")
    assert migrate_fleet(all_tenants, line).error is None
    fill(database, "tenant_b")

    result = rollback_fleet(all_tenants, line, to=1)

    assert [each.error and each.error.detail for each in result.targets] == [
        None,
        "tenant_b.more: 1 row",
        None,
    ]
    assert [versions(database, name) for name in names] == [[1], [1, 2, 3, 4], [1]]
    left = "select schemaname from pg_tables where tablename = 'more'"
    assert other.execute(left).fetchall() == [("tenant_b",)]
    assert other.execute("select count(*) from aigym_db.event where scope = ''").fetchone() == (0,)


def test_a_target_that_is_partially_applied_up_to_the_version_is_not_done(migrated, line) -> None:
    fleet = replace(migrated, targets=migrated.targets[3:4])
    with psycopg.connect(fleet.targets[0].dsn, autocommit=True) as connection:
        interrupt(connection, line[3], "up")

    result = rollback_fleet(fleet, line, to=4)

    assert (result.targets[0].state, result.error.code) == ("failed", "AIG-H001")
    assert "0004 step_4 is partially applied" in result.error.message


def test_a_target_that_is_partially_rolled_back_at_the_version_is_not_done(migrated, line) -> None:
    fleet = replace(migrated, targets=migrated.targets[:1])
    with psycopg.connect(fleet.targets[0].dsn, autocommit=True) as connection:
        interrupt(connection, line[3], "down")

    result = rollback_fleet(fleet, line, to=4)

    assert (result.targets[0].state, result.error.code) == ("failed", "AIG-H001")
    assert "`aigym-db rollback --to 3`" in result.error.hint


@pytest.mark.parametrize("back", [False, True], ids=["migrate", "rollback"])
def test_a_target_that_is_interrupted_in_the_other_direction_is_not_done(migrated, line, write, back) -> None:
    """All files are applied, or none after the version, so nothing else is pending."""
    file = (
        line[3]
        if not back
        else write(5, "create index concurrently i on notes (id);", options=NON_TRANSACTIONAL)
    )
    fleet = replace(migrated, targets=migrated.targets[:1])
    with psycopg.connect(fleet.targets[0].dsn, autocommit=True) as connection:
        interrupt(connection, file, "up" if back else "down")

    result = rollback_fleet(fleet, (*line, file), to=4) if back else migrate_fleet(fleet, line)

    assert (result.targets[0].state, result.error.code) == ("failed", "AIG-H001")
    assert ("partially applied" if back else "partially rolled back") in result.error.message


def test_status_of_every_target(migrated, line, target) -> None:
    gone = target("gone", "host=127.0.0.1 port=1 dbname=x")
    fleet = replace(migrated, targets=(*migrated.targets, gone))

    statuses = fleet_status(fleet, line)

    readable = [each.status for each in statuses[:-1]]
    assert [len(status.applied) for status in readable] == [4, 4, 4, 3, 2]
    assert [[file.version for file in status.pending] for status in readable] == [[], [], [], [4], [3, 4]]
    assert (statuses[-1].status, statuses[-1].error.code) == (None, "AIG-S001")
    assert statuses[-1].error.place.file == "targets.toml"


def test_without_permission_to_read_the_journal_unfinished_is_unknown(migrated, line, reader) -> None:
    fleet = replace(migrated, targets=migrated.targets[:1])
    weak = replace(fleet, targets=(replace(fleet.targets[0], dsn=reader(fleet.targets[0].dsn)),))
    with psycopg.connect(fleet.targets[0].dsn, autocommit=True) as connection:
        interrupt(connection, line[3], "down")

    (owner,), (other,) = fleet_status(fleet, line), fleet_status(weak, line)

    assert [migration.version for migration in owner.status.unfinished] == [4]
    assert (len(other.status.applied), other.status.unfinished) == (4, None)


def test_reading_the_status_changes_nothing(fresh, target, line) -> None:
    (status,) = fleet_status(Fleet((target("new", fresh[0]),)), line)

    assert len(status.status.pending) == 4
    with psycopg.connect(fresh[0], autocommit=True) as connection:
        assert connection.execute("select to_regnamespace('aigym_db')").fetchone() == (None,)


def test_status_of_a_tenant_and_of_a_pattern(database, other, target, line) -> None:
    for name in ("tenant_a", "tenant_b"):
        other.execute(f"create schema {name}")
    single = target("first", database, schema="tenant_a")
    assert migrate_fleet(Fleet((single,)), line, to=1).error is None
    lost = target("lost", database, schemas="tenent_*")
    gone = target("gone", database, schema="tenant_x")

    statuses = fleet_status(Fleet((target("all", database, schemas="tenant_*"), single, lost, gone)), line)

    assert [each.target.name for each in statuses] == ["all/tenant_b", "first", "lost", "gone"]
    assert [len(each.status.pending) for each in statuses[:2]] == [4, 3]
    assert [each.error.code for each in statuses[2:]] == ["AIG-P017"] * 2
