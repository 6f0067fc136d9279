"""One plan for many databases: whose turn it is, and what becomes of the others when one fails."""

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


def test_every_database_gets_what_is_pending_there(fleet, line, states, versions) -> None:
    migrate_fleet(replace(fleet, targets=fleet.targets[3:5]), line, to=1)
    migrate_fleet(replace(fleet, targets=fleet.targets[5:6]), line)

    result = migrate_fleet(fleet, line)

    assert (result.exit_status, set(states(result).values())) == (0, {"done"})
    counts = [len(outcome.finished) for outcome in result.outcomes]
    assert counts == [3, 3, 3, 2, 2, 0, 3, 3, 3, 3, 3, 3]
    assert [versions(one.dsn) for one in fleet.targets] == [[1, 2, 3]] * COUNT


def test_done_again_there_is_nothing_to_do(fleet, line) -> None:
    migrate_fleet(fleet, line)

    result = migrate_fleet(fleet, line)

    assert (result.exit_status, {outcome.pending for outcome in result.outcomes}) == (0, {0})
    assert [outcome.finished for outcome in result.outcomes] == [[]] * COUNT


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


def test_those_at_work_finish_after_a_failure(fleet, write, states) -> None:
    slow = fleet.targets[2]
    name = psycopg.conninfo.conninfo_to_dict(slow.dsn)["dbname"]
    text = (
        f"do $$ begin if current_database() = '{name}' then perform pg_advisory_xact_lock(777); "
        "else raise 'no'; end if; end $$;"
    )
    with psycopg.connect(slow.dsn, autocommit=True) as gate:
        gate.execute("select pg_advisory_lock(777)")

        class Opening(FleetObserver):
            def ended(self, outcome) -> None:
                gate.execute("select pg_advisory_unlock(777)")

        fleet = replace(fleet, parallel=2, targets=(slow, fleet.targets[0], fleet.targets[3]))
        result = migrate_fleet(fleet, (write(1, text),), observer=Opening())

    assert list(states(result).values()) == ["done", "failed", "not started"]


def test_after_a_failure_no_other_starts(fleet, broken, states) -> None:
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
    assert result.refusal is result.outcomes[3].refusal
    assert result.refusal.place.file == "migrations/0002_step_2.sql"


def test_told_to_continue_all_others_are_done(fleet, broken, states, versions) -> None:
    spoil(fleet.targets[0].dsn)
    spoil(fleet.targets[7].dsn)

    result = migrate_fleet(replace(fleet, on_failure="continue"), broken)

    assert [name for name, state in states(result).items() if state != "done"] == ["shop-00", "shop-07"]
    assert (result.exit_status, versions(fleet.targets[0].dsn)) == (4, [1])


def test_what_failed_is_mended_and_the_fleet_run_again(fleet, broken, states, versions) -> None:
    spoil(fleet.targets[0].dsn)
    migrate_fleet(fleet, broken)
    with psycopg.connect(fleet.targets[0].dsn, autocommit=True) as connection:
        connection.execute("drop table bad")

    result = migrate_fleet(fleet, broken)

    assert (result.exit_status, set(states(result).values())) == (0, {"done"})
    assert [versions(one.dsn) for one in fleet.targets] == [[1, 2, 3]] * COUNT


@pytest.fixture
def unreachable(fleet, target) -> Fleet:
    """The same with two more: one that does not exist, and one whose applied file was edited."""
    gone = make_conninfo(fleet.targets[0].dsn, dbname="gone")
    return replace(fleet, targets=(*fleet.targets, target("gone", gone)))


def test_a_target_that_is_refused_is_known_before_the_first_is_changed(
    unreachable, line, write, states, versions
) -> None:
    edited = (write(1, "create table something_else ();"),)
    migrate_fleet(replace(unreachable, targets=unreachable.targets[4:5]), edited)

    result = migrate_fleet(unreachable, line)

    refused = {outcome.target.name: outcome.refusal.code for outcome in result.outcomes if outcome.refusal}
    assert refused == {"shop-04": "AIG-T003", "gone": "AIG-S001"}
    assert set(states(result).values()) == {"refused", "not started"}
    assert (result.exit_status, versions(unreachable.targets[1].dsn)) == (5, [])
    assert "something_else" in result.outcomes[4].refusal.detail
    assert result.outcomes[-1].refusal.place.file == "targets.toml"


def test_told_to_continue_the_others_run_all_the_same(unreachable, line, states) -> None:
    result = migrate_fleet(replace(unreachable, on_failure="continue"), line)

    assert {name for name, state in states(result).items() if state != "done"} == {"gone"}
    assert result.exit_status == 4


def test_a_file_that_cannot_run_stops_all_before_the_first(fleet, line, write, versions) -> None:
    with pytest.raises(ForbiddenStatement):
        migrate_fleet(replace(fleet, on_failure="continue"), (*line, write(4, "commit;")))

    assert versions(fleet.targets[1].dsn) == []


def test_no_more_than_so_many_are_at_work(fleet, other, line, diary) -> None:
    seen, done = [], threading.Event()
    count = (
        "select count(distinct datname) from pg_stat_activity "
        "where application_name = 'aigym-db' and datname <> 'postgres'"
    )

    def look() -> None:
        while not done.is_set():
            seen.append(other.execute(count).fetchone()[0])

    with ThreadPoolExecutor(1) as pool:
        pool.submit(look)
        try:
            migrate_fleet(replace(fleet, parallel=3), line, observer=diary)
        finally:
            done.set()

    # A session that was closed is seen a moment longer.
    assert (diary.most, max(seen) <= 3 + 3) == (3, True)


def test_two_fleets_at_once_apply_each_migration_once(fleet, line) -> None:
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: migrate_fleet(fleet, line), range(2)))

    assert [result.exit_status for result in results] == [0, 0]
    assert sum(len(outcome.finished) for result in results for outcome in result.outcomes) == 3 * COUNT
    with psycopg.connect(fleet.targets[0].dsn) as connection:
        assert connection.execute("select id from notes").fetchall() == [(1,)]


def test_a_report_that_fails_stops_those_at_work(fleet, write, versions) -> None:
    class Broken(FleetObserver):
        def ended(self, outcome) -> None:
            raise BrokenPipeError

    text = "do $$ begin if current_database() <> '{}' then perform pg_sleep(60); end if; end $$;"
    first = psycopg.conninfo.conninfo_to_dict(fleet.targets[0].dsn)["dbname"]
    fleet = replace(fleet, targets=tuple(replace(one, canary=False) for one in fleet.targets[:3]))

    with pytest.raises(BrokenPipeError):
        migrate_fleet(fleet, (write(1, text.format(first)),), observer=Broken())

    assert [versions(one.dsn) for one in fleet.targets] == [[1], [], []]
