"""One plan for many databases and tenant schemas, on a real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest

from aigym_db.database import ledger, locks
from aigym_db.database.servers import create_database, drop_database
from aigym_db.errors import BadSql, ForbiddenStatement
from aigym_db.migrate.fleet.crew import Crew
from aigym_db.migrate.fleet.result import FleetObserver
from aigym_db.migrate.fleet.run import _Relay, migrate_fleet
from aigym_db.migrate.observer import Observer
from aigym_db.migrate.options import Options
from aigym_db.migrate.preflight import steps
from aigym_db.migrate.stop import Stop
from aigym_db.migrate.tenants import tenants
from aigym_db.model.source import Place
from aigym_db.project.targets import Fleet, Target

COUNT = 12
TENANTS = [f"tenant_{number:02d}" for number in range(COUNT)]


def target(name: str, dsn: str, **more) -> Target:
    return Target(name, dsn, Place("targets.toml", 1, 1, "[[target]]"), **more)


def states(result) -> dict[str, str]:
    return {outcome.target.name: outcome.state for outcome in result.outcomes}


def versions(dsn: str, scope: str = "") -> list[int]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return [row.version for row in ledger.applied(connection, scope)]


@pytest.fixture(scope="module")
def databases(server) -> Iterator[list[str]]:
    """Twelve databases; what one test leaves in them is dropped before the next by `fresh`."""
    made = [create_database(server) for _ in range(COUNT)]
    yield made
    for dsn in made:
        drop_database(server, dsn.partition("?")[0].rpartition("/")[2])


@pytest.fixture
def fresh(databases) -> list[str]:
    """The same, empty."""
    for dsn in databases:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(
                "drop schema if exists aigym_db cascade; drop schema public cascade; create schema public"
            )
    return databases


@pytest.fixture
def fleet(fresh) -> Fleet:
    """Twelve databases; the second and the last are canaries."""
    return Fleet(
        tuple(
            target(f"shop-{number:02d}", dsn, canary=number in (1, COUNT - 1))
            for number, dsn in enumerate(fresh)
        )
    )


@pytest.fixture
def tenanted(database, other) -> str:
    """A database with twelve tenant schemas, and one that is none."""
    for name in [*TENANTS, "tenants"]:
        other.execute(f"create schema {name}")
    return database


@pytest.fixture
def line(write):
    return (
        write(1, "create table notes (id int); insert into notes values (0);"),
        write(2, "update notes set id = id + 1;"),
        write(3, "create table more ();"),
    )


@pytest.fixture
def broken(line, write):
    """The same, and the second fails where a table `bad` is."""
    text = (
        "do $$ begin if to_regclass('bad') is not null then raise 'this one is bad'; end if; end $$; "
        "update notes set id = id + 1;"
    )
    return (line[0], write(2, text), line[2])


def spoil(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("create table bad ()")


def test_every_database_gets_what_is_pending_there(fleet, line) -> None:
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


class Diary(FleetObserver):
    """Writes down what happens, in order."""

    def __init__(self) -> None:
        self.pages: list[tuple[str, str]] = []
        self.at_work: set[str] = set()
        self.most = 0

    def started(self, outcome) -> Observer:
        self.pages.append(("started", outcome.target.name))
        self.at_work.add(outcome.target.name)
        self.most = max(self.most, len(self.at_work))
        return Observer()

    def ended(self, outcome) -> None:
        self.pages.append(("ended", outcome.target.name))
        self.at_work.discard(outcome.target.name)


def test_canaries_end_before_others_start(fleet, line) -> None:
    diary = Diary()

    migrate_fleet(fleet, line, observer=diary)

    assert sorted(diary.pages[:4]) == [
        ("ended", "shop-01"),
        ("ended", "shop-11"),
        ("started", "shop-01"),
        ("started", "shop-11"),
    ]


@pytest.mark.parametrize("on_failure", ["stop", "continue"])
def test_nothing_else_starts_when_a_canary_fails(fleet, broken, on_failure) -> None:
    spoil(fleet.targets[1].dsn)

    result = migrate_fleet(replace(fleet, on_failure=on_failure), broken)

    assert result.exit_status == 4
    assert (states(result)["shop-01"], states(result)["shop-11"]) == ("failed", "done")
    assert list(states(result).values()).count("not started") == COUNT - 2
    assert versions(fleet.targets[0].dsn) == []


def test_those_at_work_finish_after_a_failure(fleet, write) -> None:
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


def test_after_a_failure_no_other_starts(fleet, broken) -> None:
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


def test_told_to_continue_all_others_are_done(fleet, broken) -> None:
    spoil(fleet.targets[0].dsn)
    spoil(fleet.targets[7].dsn)

    result = migrate_fleet(replace(fleet, on_failure="continue"), broken)

    assert [name for name, state in states(result).items() if state != "done"] == ["shop-00", "shop-07"]
    assert (result.exit_status, versions(fleet.targets[0].dsn)) == (4, [1])


def test_what_failed_is_mended_and_the_fleet_run_again(fleet, broken) -> None:
    spoil(fleet.targets[0].dsn)
    migrate_fleet(fleet, broken)
    with psycopg.connect(fleet.targets[0].dsn, autocommit=True) as connection:
        connection.execute("drop table bad")

    result = migrate_fleet(fleet, broken)

    assert (result.exit_status, set(states(result).values())) == (0, {"done"})
    assert [versions(one.dsn) for one in fleet.targets] == [[1, 2, 3]] * COUNT


@pytest.fixture
def unreachable(fleet) -> Fleet:
    """The same with two more: one that does not exist, and one whose applied file was edited."""
    gone = fleet.targets[0].dsn.replace(fleet.targets[0].dsn.partition("?")[0].rpartition("/")[2], "gone")
    return replace(fleet, targets=(*fleet.targets, target("gone", gone)))


def test_a_target_that_is_refused_is_known_before_the_first_is_changed(unreachable, line, write) -> None:
    edited = (write(1, "create table something_else ();"),)
    migrate_fleet(replace(unreachable, targets=unreachable.targets[4:5]), edited)

    result = migrate_fleet(unreachable, line)

    refused = {outcome.target.name: outcome.refusal.code for outcome in result.outcomes if outcome.refusal}
    assert refused == {"shop-04": "AIG-T003", "gone": "AIG-S001"}
    assert set(states(result).values()) == {"refused", "not started"}
    assert (result.exit_status, versions(unreachable.targets[1].dsn)) == (5, [])
    assert "something_else" in result.outcomes[4].refusal.detail
    assert result.outcomes[-1].refusal.place.file == "targets.toml"


def test_told_to_continue_the_others_run_all_the_same(unreachable, line) -> None:
    result = migrate_fleet(replace(unreachable, on_failure="continue"), line)

    assert {name for name, state in states(result).items() if state != "done"} == {"gone"}
    assert result.exit_status == 4


def test_a_file_that_cannot_run_stops_all_before_the_first(fleet, line, write) -> None:
    with pytest.raises(ForbiddenStatement):
        migrate_fleet(replace(fleet, on_failure="continue"), (*line, write(4, "commit;")))

    assert versions(fleet.targets[1].dsn) == []


def test_no_more_than_so_many_are_at_work(fleet, line, other) -> None:
    diary, seen, done = Diary(), [], threading.Event()
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


def test_tenants_of_one_database_each_have_their_own_tables_and_history(tenanted, other, line) -> None:
    fleet = Fleet((target("shop", tenanted, schemas="tenant_*"),), parallel=6)

    result = migrate_fleet(fleet, line)

    assert states(result) == {f"shop/{name}": "done" for name in TENANTS}
    assert [versions(tenanted, name) for name in TENANTS] == [[1, 2, 3]] * COUNT
    made = other.execute("select schemaname from pg_tables where tablename = 'notes' order by 1").fetchall()
    assert made == [(name,) for name in TENANTS]
    assert versions(tenanted) == []
    assert other.execute("select count(*) from aigym_db.event where scope = ''").fetchone() == (0,)


def test_a_tenant_named_by_itself_is_left_out_of_the_pattern(tenanted, line) -> None:
    canary = target("first", tenanted, schema="tenant_05", canary=True)
    diary = Diary()

    result = migrate_fleet(
        Fleet((target("shop", tenanted, schemas="tenant_*"), canary)), line, observer=diary
    )

    assert diary.pages[:2] == [("started", "first"), ("ended", "first")]
    assert (len(result.outcomes), "shop/tenant_05" in states(result)) == (COUNT, False)


@pytest.mark.parametrize("more", [{"schema": "tenant_x"}, {"schemas": "tenent_*"}])
def test_a_tenant_that_is_not_there_is_refused(tenanted, other, line, more) -> None:
    result = migrate_fleet(Fleet((target("shop", tenanted, **more),)), line)

    assert (result.exit_status, result.refusal.code) == (2, "AIG-P017")
    assert result.refusal.place.file == "targets.toml"
    assert not ledger.exists(other)


def test_a_pattern_means_what_it_says(other) -> None:
    for name in ("a.b1", "a.b22", "axb1", "a.b", "aigym_db"):
        other.execute(psycopg.sql.SQL("create schema {}").format(psycopg.sql.Identifier(name)))

    assert tenants(other, "a.b?") == ("a.b1",)
    assert tenants(other, "a.b*") == ("a.b", "a.b1", "a.b22")
    assert tenants(other, "*") == ("a.b", "a.b1", "a.b22", "axb1", "public")


def test_a_runner_of_one_tenant_keeps_no_other_waiting(tenanted, other, line) -> None:
    locks.try_hold(other, 1, "tenant_00")
    targets = tuple(target(name, tenanted, schema=name) for name in ("tenant_00", "tenant_01"))
    fleet = Fleet((*targets, target("own", tenanted)), on_failure="continue")

    result = migrate_fleet(fleet, line, options=Options(lock_wait_s=0))

    assert states(result) == {"tenant_00": "failed", "tenant_01": "done", "own": "done"}
    assert (result.refusal.code, result.exit_status) == ("AIG-L001", 6)
    assert "is migrating the schema tenant_00" in result.refusal.message
    assert f"pid {other.info.backend_pid}" in result.refusal.detail


def test_what_fails_and_what_was_edited_is_said_of_the_tenant_it_happened_to(
    tenanted, other, broken, write
) -> None:
    other.execute("create table tenant_01.bad ()")
    targets = tuple(target(name, tenanted, schema=name) for name in ("tenant_00", "tenant_01"))
    migrate_fleet(Fleet(targets, on_failure="continue"), broken)

    result = migrate_fleet(Fleet(targets), (broken[0], write(2, "select 'edited';"), broken[2]))

    failures = "select scope, version from aigym_db.event where kind = 'fail'"
    assert other.execute(failures).fetchall() == [("tenant_01", 2)]
    assert [outcome.state for outcome in result.outcomes] == ["refused", "not started"]
    assert "+select 'edited';" in result.refusal.detail


def test_tenants_and_the_database_itself_do_not_know_of_each_other(tenanted, line, write) -> None:
    fleet = Fleet((target("own", tenanted), target("tenant", tenanted, schema="tenant_00")))
    migrate_fleet(replace(fleet, targets=fleet.targets[:1]), line, to=2)

    result = migrate_fleet(fleet, line)

    assert [outcome.pending for outcome in result.outcomes] == [1, 3]


def test_a_name_of_a_schema_may_be_anything(database, other, line) -> None:
    name = 'a "b", c\\d e\'f %s'
    other.execute(psycopg.sql.SQL("create schema {}").format(psycopg.sql.Identifier(name)))

    result = migrate_fleet(Fleet((target("odd", database, schema=name),)), line)

    assert (result.refusal, versions(database, name)) == (None, [1, 2, 3])


def test_indexes_built_concurrently_by_many_tenants_do_not_wait_for_each_other_for_ever(
    tenanted, other, write
) -> None:
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

    assert result.refusal is None
    valid = "select count(*) from pg_index where indisvalid and indrelid::regclass::text like '%.notes'"
    assert other.execute(valid).fetchone() == (2 * COUNT,)
    assert other.execute("select count(*) from aigym_db.event where scope = ''").fetchone() == (0,)


def test_a_backfill_changes_the_rows_of_its_own_tenant(tenanted, other, write) -> None:
    rows = "insert into notes select n, null from generate_series(1, 500) n;"
    line = (
        write(1, f"create table notes (id int primary key, text text); {rows}"),
        write(2, "update notes set text = current_schema() where text is null;", options=" batch:100"),
    )

    result = migrate_fleet(Fleet((target("shop", tenanted, schemas="tenant_*"),)), line)

    assert result.refusal is None
    texts = [other.execute(f"select distinct text from {name}.notes").fetchall() for name in TENANTS]
    assert texts == [[(name,)] for name in TENANTS]
    assert other.execute("select count(*) from aigym_db.event where scope = ''").fetchone() == (0,)


def test_what_a_tenant_left_half_done_is_looked_up_in_its_own_schema(tenanted, other, write) -> None:
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

    assert result.refusal is None
    built = "select count(*) from pg_indexes where indexname = 'notes_id_idx' and schemaname like 'tenant%'"
    assert other.execute(built).fetchone() == (2,)
    resumed = [outcome.finished[0].resumed_at for outcome in result.outcomes]
    assert resumed == [None, 1]


def test_a_report_that_fails_stops_those_at_work(fleet, write) -> None:
    class Broken(FleetObserver):
        def ended(self, outcome) -> None:
            raise BrokenPipeError

    text = "do $$ begin if current_database() <> '{}' then perform pg_sleep(60); end if; end $$;"
    first = psycopg.conninfo.conninfo_to_dict(fleet.targets[0].dsn)["dbname"]
    fleet = replace(fleet, targets=tuple(replace(one, canary=False) for one in fleet.targets[:3]))

    with pytest.raises(BrokenPipeError):
        migrate_fleet(fleet, (write(1, text.format(first)),), observer=Broken())

    assert [versions(one.dsn) for one in fleet.targets] == [[1], [], []]


def test_every_word_of_a_run_is_passed_on() -> None:
    words = [word for word in vars(Observer) if not word.startswith("_")]
    heard = []
    relay = _Relay(lambda word, said: heard.append((word, said)))

    [getattr(relay, word)(word) for word in words]

    assert heard == [(word, (word,)) for word in words]


def test_a_fault_of_a_job_is_raised_where_the_jobs_were_given_out() -> None:
    crew = Crew(2, Stop())

    with pytest.raises(ZeroDivisionError):
        crew.work([0, 1], lambda number: 1 // number, lambda job, result: None)


def test_the_parser_may_be_used_by_many_threads(write) -> None:
    texts = ("create table t (a int);", "create index concurrently i on t (a);", "create tble t (a int);")
    parts = [write(1, f"select 1;\n{text * 100}", options=" transaction:false").up for text in texts]

    def read(number: int) -> int | str:
        try:
            return len(steps(parts[number % 3]))
        except BadSql as refusal:
            return f"{refusal.message} {refusal.place}"

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(read, range(96)))

    assert found == [read(0), read(1), read(2)] * 32
    assert found[:2] == [101, 101]
