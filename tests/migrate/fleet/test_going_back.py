"""Taking many databases and tenant schemas back to a version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from aigym_db.database import ledger
from aigym_db.migrate.fleet.result import FleetObserver
from aigym_db.migrate.fleet.rollout import migrate_fleet, rollback_fleet
from aigym_db.migrate.fleet.status import fleet_standing
from aigym_db.project.targets import Fleet

OUTSIDE = " transaction:false"


@pytest.fixture
def line(write):
    """The third makes a table that may hold rows, the fourth an index in a file outside a transaction."""
    return (
        write(1, "create table notes (id int);", "drop table notes;"),
        write(2, "alter table notes add text text;", "alter table notes drop text;"),
        write(3, "create table more (id int);", "drop table more;"),
        write(
            4,
            "create index concurrently notes_id_idx on notes (id);",
            "drop index concurrently notes_id_idx;",
            options=OUTSIDE,
            down_options=OUTSIDE,
        ),
    )


@pytest.fixture
def migrated(fleet, line) -> Fleet:
    """Five databases, the second a canary: three at the end, one at the third, one at the second."""
    made = replace(fleet, targets=fleet.targets[:5])
    for targets, to in ((made.targets[:3], 4), (made.targets[3:4], 3), (made.targets[4:], 2)):
        assert migrate_fleet(replace(made, targets=targets), line, to=to).refusal is None
    return made


@pytest.fixture
def reader(server) -> Iterator[Callable[[str], str]]:
    """The connection string of a role that may read what everybody may."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("create role fleet_reader login")
        yield lambda dsn: make_conninfo(dsn, user="fleet_reader")
        connection.execute("drop role fleet_reader")


def execute(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement)


def fill(dsn: str, schema: str = "public") -> None:
    execute(dsn, f"insert into {schema}.more values (1)")


def half_way(connection, file, direction) -> None:
    """Writes into the journal that the first statement of a file outside a transaction is done."""
    begun = ledger.Event(
        "intent", file.version, file.name, ledger.checksum(file), direction, 1, sql="vacuum notes", detail={}
    )
    ledger.record(connection, begun)
    ledger.record(connection, replace(begun, kind="done"))


def all_versions(fleet: Fleet, versions) -> list[list[int]]:
    return [versions(one.dsn, one.schema) for one in fleet.targets]


def test_each_goes_back_from_where_it_is(migrated, line, versions) -> None:
    result = rollback_fleet(migrated, line, to=2)

    assert (result.refusal, [one.pending for one in result.outcomes]) == (None, [2, 2, 2, 1, 0])
    undone = [[done.migration.version for done in one.finished] for one in result.outcomes]
    assert undone == [[4, 3], [4, 3], [4, 3], [3], []]
    assert all_versions(migrated, versions) == [[1, 2]] * 5


def test_whoever_never_came_so_far_has_nothing_to_undo(migrated, line, versions, states) -> None:
    result = rollback_fleet(migrated, line, to=3)

    assert set(states(result).values()) == {"done"}
    assert all_versions(migrated, versions) == [[1, 2, 3]] * 4 + [[1, 2]]


def test_canaries_go_back_first_and_nothing_else_when_one_fails(migrated, line, diary, versions) -> None:
    execute(migrated.targets[1].dsn, "create view used as select text from notes")

    result = rollback_fleet(replace(migrated, on_failure="continue"), line, to=1, observer=diary)

    assert diary.pages == [("started", "shop-01"), ("ended", "shop-01")]
    assert (result.exit_status, result.outcomes[1].refusal.code) == (4, "AIG-S002")
    assert all_versions(migrated, versions)[:2] == [[1, 2, 3, 4], [1, 2]]


def test_one_that_would_lose_rows_keeps_all_from_starting(migrated, line, versions, states) -> None:
    fill(migrated.targets[3].dsn)
    before = all_versions(migrated, versions)

    result = rollback_fleet(migrated, line, to=2)

    assert (result.exit_status, result.refusal.code) == (3, "AIG-G003")
    assert "more: 1 row" in result.refusal.detail
    assert list(states(result).values()).count("refused") == 1
    assert all_versions(migrated, versions) == before


def test_told_to_continue_only_that_one_stays(migrated, line, versions) -> None:
    fill(migrated.targets[3].dsn)

    result = rollback_fleet(replace(migrated, on_failure="continue"), line, to=2)

    assert result.exit_status == 3
    assert all_versions(migrated, versions) == [[1, 2], [1, 2], [1, 2], [1, 2, 3], [1, 2]]


def test_a_yes_is_for_all(migrated, line, versions) -> None:
    fill(migrated.targets[0].dsn)
    fill(migrated.targets[3].dsn)

    assert rollback_fleet(migrated, line, to=2, yes=True).refusal is None
    assert all_versions(migrated, versions) == [[1, 2]] * 5


def test_what_was_agreed_for_one_is_no_yes_for_another(migrated, line, versions) -> None:
    first, _, third, *_ = migrated.targets
    fill(first.dsn)
    refused = rollback_fleet(migrated, line, to=2)
    fill(third.dsn)

    result = rollback_fleet(migrated, line, to=2, agreed={first: refused.refusal.plan})

    assert [one.refusal and one.refusal.code for one in result.outcomes] == [
        None,
        None,
        "AIG-G003",
        None,
        None,
    ]
    assert versions(first.dsn) == [1, 2, 3, 4]
    agreed = {first: refused.refusal.plan, third: result.outcomes[2].refusal.plan}
    assert rollback_fleet(migrated, line, to=2, agreed=agreed).refusal is None


def test_what_was_agreed_is_nothing_else(migrated, line, write, versions) -> None:
    first = replace(migrated, targets=migrated.targets[:1])
    fill(first.targets[0].dsn)
    refused = rollback_fleet(first, line, to=2)
    longer = (*line, write(5, "create table last ();", "drop table last;"))
    assert migrate_fleet(first, longer).refusal is None

    result = rollback_fleet(first, longer, to=2, agreed={first.targets[0]: refused.refusal.plan})

    assert result.refusal.code == "AIG-T006"
    assert versions(first.targets[0].dsn) == [1, 2, 3, 4, 5]


def test_rows_that_come_after_the_question_are_not_lost(migrated, line, versions) -> None:
    class Filling(FleetObserver):
        def planned(self, outcomes) -> None:
            fill(migrated.targets[3].dsn)

    result = rollback_fleet(migrated, line, to=2, observer=Filling())

    assert (result.outcomes[3].state, result.outcomes[3].refusal.code) == ("failed", "AIG-G003")
    assert versions(migrated.targets[3].dsn) == [1, 2, 3]


def test_one_that_cannot_be_undone_keeps_all_from_starting(migrated, line, write, versions) -> None:
    forever = (*line[:2], write(3, "create table more (id int);", None), line[3])
    targets = migrated.targets[4:]
    for target in targets:
        execute(target.dsn, "drop schema public, aigym_db cascade; create schema public")
    fleet = replace(migrated, targets=targets)
    assert migrate_fleet(fleet, forever).refusal is None

    result = rollback_fleet(fleet, forever, to=2)

    assert (result.refusal.code, result.exit_status) == ("AIG-G004", 3)
    assert all_versions(fleet, versions) == [[1, 2, 3, 4]]


def test_a_tenant_goes_back_in_its_own_schema(database, other, target, line, versions) -> None:
    names = ["tenant_a", "tenant_b", "tenant_c"]
    for name in names:
        other.execute(f"create schema {name}")
    all_of_them = Fleet((target("shop", database, schemas="tenant_*"),), on_failure="continue")
    assert migrate_fleet(all_of_them, line).refusal is None
    fill(database, "tenant_b")

    result = rollback_fleet(all_of_them, line, to=1)

    assert [one.refusal and one.refusal.detail for one in result.outcomes] == [
        None,
        "tenant_b.more: 1 row",
        None,
    ]
    assert [versions(database, name) for name in names] == [[1], [1, 2, 3, 4], [1]]
    left = "select schemaname from pg_tables where tablename = 'more'"
    assert other.execute(left).fetchall() == [("tenant_b",)]
    assert other.execute("select count(*) from aigym_db.event where scope = ''").fetchone() == (0,)


def test_a_target_behind_the_version_that_is_half_way_to_it_is_not_called_done(migrated, line) -> None:
    one = replace(migrated, targets=migrated.targets[3:4])
    with psycopg.connect(one.targets[0].dsn, autocommit=True) as connection:
        half_way(connection, line[3], "up")

    result = rollback_fleet(one, line, to=4)

    assert (result.outcomes[0].state, result.refusal.code) == ("failed", "AIG-H001")
    assert "0004 step_4 is partially applied" in result.refusal.message


def test_a_target_that_is_half_undone_at_the_version_is_not_called_done(migrated, line) -> None:
    one = replace(migrated, targets=migrated.targets[:1])
    with psycopg.connect(one.targets[0].dsn, autocommit=True) as connection:
        half_way(connection, line[3], "down")

    result = rollback_fleet(one, line, to=4)

    assert (result.outcomes[0].state, result.refusal.code) == ("failed", "AIG-H001")
    assert "`aigym-db rollback --to 3`" in result.refusal.hint


@pytest.mark.parametrize("back", [False, True], ids=["migrate", "rollback"])
def test_a_target_that_is_half_way_in_the_other_direction_is_not_called_done(
    migrated, line, write, back
) -> None:
    """With all its files applied, or none after the version, it has nothing else to do."""
    file = line[3] if not back else write(5, "create index concurrently i on notes (id);", options=OUTSIDE)
    one = replace(migrated, targets=migrated.targets[:1])
    with psycopg.connect(one.targets[0].dsn, autocommit=True) as connection:
        half_way(connection, file, "up" if back else "down")

    result = rollback_fleet(one, (*line, file), to=4) if back else migrate_fleet(one, line)

    assert (result.outcomes[0].state, result.refusal.code) == ("failed", "AIG-H001")
    assert (
        "partially applied" in result.refusal.message
        if back
        else "partially rolled back" in result.refusal.message
    )


def test_every_target_says_where_it_stands(migrated, line, target) -> None:
    gone = target("gone", "host=127.0.0.1 port=1 dbname=x")
    fleet = replace(migrated, targets=(*migrated.targets, gone))

    found = fleet_standing(fleet, line)

    standings = [one.standing for one in found[:-1]]
    assert [len(one.applied) for one in standings] == [4, 4, 4, 3, 2]
    assert [[file.version for file in one.pending] for one in standings] == [[], [], [], [4], [3, 4]]
    assert (found[-1].standing, found[-1].refusal.code) == (None, "AIG-S001")
    assert found[-1].refusal.place.file == "targets.toml"


def test_a_role_that_may_read_no_journal_does_not_say_that_nothing_is_half_way(
    migrated, line, reader
) -> None:
    one = replace(migrated, targets=migrated.targets[:1])
    weak = replace(one, targets=(replace(one.targets[0], dsn=reader(one.targets[0].dsn)),))
    with psycopg.connect(one.targets[0].dsn, autocommit=True) as connection:
        half_way(connection, line[3], "down")

    (owner,), (other,) = fleet_standing(one, line), fleet_standing(weak, line)

    assert [half.version for half in owner.standing.unfinished] == [4]
    assert (len(other.standing.applied), other.standing.unfinished) == (4, None)


def test_asking_where_they_stand_changes_nothing(fresh, target, line) -> None:
    (found,) = fleet_standing(Fleet((target("new", fresh[0]),)), line)

    assert len(found.standing.pending) == 4
    with psycopg.connect(fresh[0], autocommit=True) as connection:
        assert connection.execute("select to_regnamespace('aigym_db')").fetchone() == (None,)


def test_a_tenant_stands_for_itself_and_a_pattern_for_all(database, other, target, line) -> None:
    for name in ("tenant_a", "tenant_b"):
        other.execute(f"create schema {name}")
    one = target("first", database, schema="tenant_a")
    assert migrate_fleet(Fleet((one,)), line, to=1).refusal is None
    lost = target("lost", database, schemas="tenent_*")
    gone = target("gone", database, schema="tenant_x")

    found = fleet_standing(Fleet((target("all", database, schemas="tenant_*"), one, lost, gone)), line)

    assert [found_one.target.name for found_one in found] == ["all/tenant_b", "first", "lost", "gone"]
    assert [len(found_one.standing.pending) for found_one in found[:2]] == [4, 3]
    assert [found_one.refusal.code for found_one in found[2:]] == ["AIG-P017"] * 2
