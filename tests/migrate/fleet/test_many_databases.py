"""Migrate many databases: their order, and the effect of an error on the others."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from aigym_db.errors import ForbiddenStatement
from aigym_db.migrate.fleet.result import FleetObserver
from aigym_db.migrate.fleet.rollout import migrate_fleet
from aigym_db.project.targets import Fleet

COUNT = 12


def spoil(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("create table bad ()")


def test_every_database_gets_its_pending_migrations(fleet, line, states, versions) -> None:
    migrate_fleet(replace(fleet, targets=fleet.targets[3:5]), line, to=1)
    migrate_fleet(replace(fleet, targets=fleet.targets[5:6]), line)

    result = migrate_fleet(fleet, line)

    assert (result.exit_status, set(states(result).values())) == (0, {"done"})
    counts = [len(each.finished) for each in result.targets]
    assert counts == [3, 3, 3, 2, 2, 0, 3, 3, 3, 3, 3, 3]
    assert [versions(target.dsn) for target in fleet.targets] == [[1, 2, 3]] * COUNT


def test_a_second_run_has_nothing_to_do(fleet, line) -> None:
    migrate_fleet(fleet, line)

    result = migrate_fleet(fleet, line)

    assert (result.exit_status, {each.pending for each in result.targets}) == (0, {0})
    assert [each.finished for each in result.targets] == [[]] * COUNT


def test_canaries_end_before_others_start(fleet, line, diary) -> None:
    migrate_fleet(fleet, line, observer=diary)

    assert sorted(diary.pages[:4]) == [
        ("ended", "shop-01"),
        ("ended", "shop-11"),
        ("started", "shop-01"),
        ("started", "shop-11"),
    ]


@pytest.mark.parametrize("on_failure", ["stop", "continue"])
def test_nothing_else_starts_when_a_canary_fails(fleet, broken, states, versions, on_failure) -> None:
    spoil(fleet.targets[1].dsn)

    result = migrate_fleet(replace(fleet, on_failure=on_failure), broken)

    assert result.exit_status == 4
    assert (states(result)["shop-01"], states(result)["shop-11"]) == ("failed", "done")
    assert list(states(result).values()).count("not started") == COUNT - 2
    assert versions(fleet.targets[0].dsn) == []


def test_running_targets_finish_after_an_error(fleet, write, states) -> None:
    slow = fleet.targets[2]
    name = psycopg.conninfo.conninfo_to_dict(slow.dsn)["dbname"]
    text = (
        f"do $$ begin if current_database() = '{name}' then perform pg_advisory_xact_lock(777); "
        "else raise 'no'; end if; end $$;"
    )
    with psycopg.connect(slow.dsn, autocommit=True) as gate:
        gate.execute("select pg_advisory_lock(777)")

        class Opening(FleetObserver):
            def ended(self, result) -> None:
                gate.execute("select pg_advisory_unlock(777)")

        fleet = replace(fleet, parallel=2, targets=(slow, fleet.targets[0], fleet.targets[3]))
        result = migrate_fleet(fleet, (write(1, text),), observer=Opening())

    assert list(states(result).values()) == ["done", "failed", "not started"]


def test_after_an_error_no_other_target_starts(fleet, broken, states) -> None:
    spoil(fleet.targets[0].dsn)
    fleet = replace(fleet, parallel=1, targets=fleet.targets[1:6:2] + fleet.targets[0:6:2])

    result = migrate_fleet(fleet, broken)

    assert states(result) == {
        "shop-01": "done",
        "shop-03": "done",
        "shop-05": "done",
        "shop-00": "failed",
        "shop-02": "not started",
        "shop-04": "not started",
    }
    assert result.error is result.targets[3].error
    assert result.error.place.file == "migrations/0002_step_2.sql"


def test_with_on_failure_continue_all_others_are_done(fleet, broken, states, versions) -> None:
    spoil(fleet.targets[0].dsn)
    spoil(fleet.targets[7].dsn)

    result = migrate_fleet(replace(fleet, on_failure="continue"), broken)

    assert [name for name, state in states(result).items() if state != "done"] == ["shop-00", "shop-07"]
    assert (result.exit_status, versions(fleet.targets[0].dsn)) == (4, [1])


def test_the_fleet_resumes_after_the_cause_is_removed(fleet, broken, states, versions) -> None:
    spoil(fleet.targets[0].dsn)
    migrate_fleet(fleet, broken)
    with psycopg.connect(fleet.targets[0].dsn, autocommit=True) as connection:
        connection.execute("drop table bad")

    result = migrate_fleet(fleet, broken)

    assert (result.exit_status, set(states(result).values())) == (0, {"done"})
    assert [versions(target.dsn) for target in fleet.targets] == [[1, 2, 3]] * COUNT


@pytest.fixture
def unreachable(fleet, target) -> Fleet:
    """The fleet with another database that does not exist."""
    gone = make_conninfo(fleet.targets[0].dsn, dbname="gone")
    return replace(fleet, targets=(*fleet.targets, target("gone", gone)))


def test_targets_are_rejected_before_the_first_is_changed(unreachable, line, write, states, versions) -> None:
    edited = (write(1, "create table something_else ();"),)
    migrate_fleet(replace(unreachable, targets=unreachable.targets[4:5]), edited)

    result = migrate_fleet(unreachable, line)

    rejected = {each.target.name: each.error.code for each in result.targets if each.error}
    assert rejected == {"shop-04": "AIG-T003", "gone": "AIG-S001"}
    assert set(states(result).values()) == {"rejected", "not started"}
    assert (result.exit_status, versions(unreachable.targets[1].dsn)) == (5, [])
    assert "something_else" in result.targets[4].error.detail
    assert result.targets[-1].error.place.file == "targets.toml"


def test_with_on_failure_continue_a_rejected_target_stops_no_other(unreachable, line, states) -> None:
    result = migrate_fleet(replace(unreachable, on_failure="continue"), line)

    assert {name for name, state in states(result).items() if state != "done"} == {"gone"}
    assert result.exit_status == 4


def test_a_file_that_cannot_run_is_rejected_before_the_first_target(fleet, line, write, versions) -> None:
    with pytest.raises(ForbiddenStatement):
        migrate_fleet(replace(fleet, on_failure="continue"), (*line, write(4, "commit;")))

    assert versions(fleet.targets[1].dsn) == []


def test_no_more_than_parallel_targets_run_at_a_time(fleet, other, line, diary) -> None:
    counts, done = [], threading.Event()
    count = (
        "select count(distinct datname) from pg_stat_activity "
        "where application_name = 'aigym-db' and datname <> 'postgres'"
    )

    def look() -> None:
        while not done.is_set():
            counts.append(other.execute(count).fetchone()[0])

    with ThreadPoolExecutor(1) as pool:
        pool.submit(look)
        try:
            migrate_fleet(replace(fleet, parallel=3), line, observer=diary)
        finally:
            done.set()

    # A closed session remains in pg_stat_activity for a moment.
    assert (diary.most, max(counts) <= 3 + 3) == (3, True)


def test_two_fleets_at_once_apply_each_migration_once(fleet, line) -> None:
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: migrate_fleet(fleet, line), range(2)))

    assert [result.exit_status for result in results] == [0, 0]
    assert sum(len(each.finished) for result in results for each in result.targets) == 3 * COUNT
    with psycopg.connect(fleet.targets[0].dsn) as connection:
        assert connection.execute("select id from notes").fetchall() == [(1,)]


def test_an_exception_of_the_observer_stops_the_running_targets(fleet, write, versions) -> None:
    class Broken(FleetObserver):
        def ended(self, result) -> None:
            raise BrokenPipeError

    text = "do $$ begin if current_database() <> '{}' then perform pg_sleep(60); end if; end $$;"
    first = psycopg.conninfo.conninfo_to_dict(fleet.targets[0].dsn)["dbname"]
    fleet = replace(fleet, targets=tuple(replace(target, canary=False) for target in fleet.targets[:3]))

    with pytest.raises(BrokenPipeError):
        migrate_fleet(fleet, (write(1, text.format(first)),), observer=Broken())

    assert [versions(target.dsn) for target in fleet.targets] == [[1], [], []]
