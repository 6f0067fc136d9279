"""Every check reports the change that it carries as its example, and is ok in a healthy database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from aigym_db.errors import BadCommandLine
from aigym_db.health.check import SEVERITIES, HealthCheck, health_checks, health_page
from aigym_db.health.examine import (
    CheckResult,
    Health,
    Privileges,
    chosen_checks,
    examine,
    exit_status,
    results,
)
from aigym_db.syntax.check_file import BreakingChange
from tests.support.waiting import wait_for_row

Visitor = psycopg.Connection[tuple[object, ...]]
CASES = [
    pytest.param(check, change, id=f"{check.name}-{number}")
    for check in health_checks()
    for number, change in enumerate(check.breaking, 1)
]
_ASSUMED = re.compile(
    r"(?:after (?P<count>\d+) (?P<unit>\w+)|version (?P<version>\d+)): (?P<statement>.*)", re.S
)
"""The beginnings of a change that no statement makes: another time, another version."""


@contextmanager
def executing(dsn: str, statement: str) -> Iterator[None]:
    """Execute a statement in another session during the block, and wait for its end."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.pgconn.send_query(statement.encode())
        connection.pgconn.flush()
        yield
        while connection.pgconn.get_result():
            pass


def by_name(health: Health) -> dict[str, CheckResult]:
    return {result.check.name: result for result in health.results}


@pytest.mark.parametrize(("check", "change"), CASES)
def test_each_check_reports_its_breaking_change(
    visitor: Visitor, database: str, check: HealthCheck, change: BreakingChange
) -> None:
    before = by_name(examine(database))
    assumed: dict[str, Any] = {}
    statement = change.change
    if match := _ASSUMED.match(statement):
        statement = match["statement"]
        if match["version"]:
            assumed["version"] = int(match["version"])
        else:
            assumed["ahead"] = timedelta(**{f"{match['unit'].rstrip('s')}s": int(match["count"])})
    visitor.execute(statement.encode())

    after = by_name(examine(database, **assumed))[check.name]

    severity, _, words = change.finding.partition(": ")
    assert severity in SEVERITIES
    assert before[check.name].severity == "ok"
    assert after.severity == severity
    assert any(words in each.message and each.severity == severity for each in after.measurements)


def test_every_check_is_ok_in_a_healthy_database(visitor: Visitor, database: str) -> None:
    health = examine(database)

    assert {result.check.name: result.severity for result in health.results} == {
        check.name: "ok" for check in health_checks()
    }
    assert len(health.results) >= 11


PARTITION = (
    "execute format('create table app.{0} partition of app.{1} for values from (%L) to (%L)', {2}, {3});"
)
SOUND = {
    "the indexes of a partition": (
        "duplicate-index",
        "create table app.keyed (day date primary key) partition by range (day);"
        "create table app.keyed_1 partition of app.keyed for values from (minvalue) to (maxvalue)",
    ),
    "a deferrable constraint beside a unique index": (
        "duplicate-index",
        "create table app.deferred (x int unique deferrable); create unique index on app.deferred (x)",
    ),
    "two expressions": (
        "duplicate-index",
        "create index on app.birds (lower(name)); create index on app.birds (upper(name))",
    ),
    "two predicates": (
        "duplicate-index",
        "create index on app.birds (id) where name = 'a'; create index on app.birds (id) where name = 'b'",
    ),
    "the index of a replica identity": (
        "duplicate-index",
        "create unique index birds_identity_idx on app.birds (id);"
        "alter table app.birds replica identity using index birds_identity_idx",
    ),
    "partitions of a table without row-level security": (
        "partition-row-security",
        "alter table app.days disable row level security; alter table app.days_1 disable row level security;"
        "grant select on app.days_1 to health_reader",
    ),
    "privileges of the owner": (
        "partition-row-security",
        "alter table app.days_1 owner to health_reader; grant select on app.days_1 to health_reader",
    ),
    "privileges of a role that bypasses row-level security": (
        "partition-row-security",
        "grant select on app.days_1 to health_bypass",
    ),
    "daily partitions for three days": (
        "partitions-ahead",
        "create table app.short (day date) partition by range (day); do $$ begin "
        + "".join(
            PARTITION.format(f"short_{n}", "short", f"current_date + {n}", f"current_date + {n + 1}")
            for n in range(4)
        )
        + " end $$",
    ),
    "a table with the name of a partition and other columns": (
        "detached-partition",
        "create table app.days_3 (day date, more int)",
    ),
    "a table with the columns of a partition and another name": (
        "detached-partition",
        "create table app.other_3 (day date)",
    ),
}


@pytest.mark.parametrize(("name", "statement"), SOUND.values(), ids=SOUND)
def test_what_is_not_a_problem_is_not_reported(
    visitor: Visitor, database: str, name: str, statement: str
) -> None:
    visitor.execute("drop role if exists health_bypass; create role health_bypass bypassrls")
    visitor.execute(statement.encode())

    result = by_name(examine(database))[name]
    visitor.execute("drop owned by health_bypass; drop role health_bypass")

    assert [each for each in result.measurements if each.severity != "ok"] == []


PROBLEMS = {
    "a partition whose detach is pending": (
        "partitions-ahead",
        "update pg_catalog.pg_inherits set inhdetachpending = true where inhrelid = 'app.days_2'::regclass",
        ["app.days"],
    ),
    "an inherited constraint": (
        "unvalidated-constraint",
        "create table app.child () inherits (app.birds);"
        "alter table app.birds add constraint birds_check check (id > 0) not valid",
        ["app.birds.birds_check"],
    ),
    "expressions at different positions": (
        "duplicate-index",
        "create index birds_a on app.birds (lower(name));"
        "create index birds_longer on app.birds using btree ((lower(name)))",
        ["app.birds_longer"],
    ),
    "an index with partitions": (
        "duplicate-index",
        "create index days_again_idx on app.days (day)",
        ["app.days_again_idx"],
    ),
    "a unique index beside a unique index": (
        "duplicate-index",
        "create unique index birds_a on app.birds (name, id);"
        "create unique index birds_b on app.birds (name, id)",
        ["app.birds_b"],
    ),
    "a privilege of PUBLIC": (
        "partition-row-security",
        "grant select on app.days_1 to public",
        ["app.days_1"],
    ),
}


@pytest.mark.parametrize(("name", "statement", "objects"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_problem_is_reported_once_with_its_object(
    visitor: Visitor, database: str, name: str, statement: str, objects: list[str]
) -> None:
    visitor.execute(statement.encode())

    result = by_name(examine(database))[name]

    assert [each.object for each in result.measurements if each.severity != "ok"] == objects


def test_a_constraint_that_is_not_enforced_is_not_reported(visitor: Visitor, database: str) -> None:
    if visitor.info.server_version < 180000:
        pytest.skip("NOT ENFORCED needs PostgreSQL 18")
    visitor.execute("alter table app.birds add constraint birds_check check (id > 5) not enforced")

    assert by_name(examine(database))["unvalidated-constraint"].severity == "ok"


def test_a_transaction_in_another_database_is_not_measured(visitor: Visitor, database: str) -> None:
    with psycopg.connect(make_conninfo(database, dbname="postgres")) as other:
        other.execute("select pg_current_xact_id()")

        result = by_name(examine(database, ahead=timedelta(days=1)))["long-transaction"]

    assert result.measurements == ()


def test_an_empty_database_is_healthy(database: str) -> None:
    assert {result.severity for result in examine(database).results} == {"ok"}


def test_a_partition_without_end_has_no_value(visitor: Visitor, database: str) -> None:
    visitor.execute(
        "create table app.open (at timestamptz) partition by range (at);"
        "create table app.open_1 partition of app.open for values from (minvalue) to (maxvalue)"
    )

    (measurement,) = (
        each
        for each in by_name(examine(database))["partitions-ahead"].measurements
        if each.object == "app.open"
    )

    assert (measurement.severity, measurement.value) == ("ok", None)
    assert measurement.message == "The partitions of app.open have no end."


@pytest.mark.parametrize(("width_days", "ahead_days", "severity"), [(1, 1, "warning"), (7, 4, "critical")])
def test_the_thresholds_of_short_partitions_follow_from_their_width(
    visitor: Visitor, database: str, width_days: int, ahead_days: int, severity: str
) -> None:
    """Partitions of one day end in 1.5 days; partitions of seven days end in 3 days."""
    visitor.execute("create table app.short (at timestamptz) partition by range (at)")
    end = "now() + interval '36 hours'" if width_days == 1 else "now() + interval '7 days'"
    visitor.execute(
        f"""do $$ begin
          execute format('create table app.short_1 partition of app.short for values from (%L) to (%L)',
            {end} - interval '{width_days} days' - interval '1 second', {end});
          execute format('create table app.short_0 partition of app.short for values from (%L) to (%L)',
            now() - interval '1 day', {end} - interval '{width_days} days' - interval '1 second');
        end $$""".encode()
    )
    ahead = timedelta() if width_days == 1 else timedelta(days=ahead_days)

    measured = by_name(examine(database, ahead=ahead))["partitions-ahead"].measurements

    assert {each.object: each.severity for each in measured}["app.short"] == severity


def test_an_index_that_is_being_built_is_not_reported(visitor: Visitor, database: str) -> None:
    visitor.execute("drop role if exists health_monitor; create role health_monitor login")
    with psycopg.connect(database, autocommit=True) as holder:
        holder.execute("begin; update app.birds set name = 'b'")
        with executing(database, "create index concurrently birds_slow_idx on app.birds (name, id)"):
            wait_for_row(
                visitor,
                "select from pg_index"
                " where indexrelid = to_regclass('app.birds_slow_idx') and not indisvalid",
            )
            during = by_name(examine(database))["unusable-index"]
            hidden = by_name(examine(make_conninfo(database, user="health_monitor")))["unusable-index"]
            holder.execute("rollback")
    visitor.execute("drop role health_monitor")

    assert during.severity == "ok"
    assert [measurement.message for measurement in hidden.measurements] == [
        "The index app.birds_slow_idx on app.birds is invalid, or is being built by another role."
    ]


def test_a_transaction_that_executes_a_statement_has_longer_limits(visitor: Visitor, database: str) -> None:
    with executing(database, "select pg_sleep(600)"):
        wait_for_row(visitor, "select from pg_stat_activity where query = 'select pg_sleep(600)'")
        severities = [
            by_name(examine(database, ahead=timedelta(hours=hours)))["long-transaction"].severity
            for hours in (0.9, 2, 7)
        ]
        visitor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where query = 'select pg_sleep(600)'"
        )

    assert severities == ["ok", "warning", "critical"]


def test_of_nested_partitions_the_outermost_is_measured(visitor: Visitor, database: str) -> None:
    visitor.execute(
        """
        create table app.nested (at date) partition by range (at);
        create table app.nested_old partition of app.nested for values from (minvalue) to ('2025-01-01')
          partition by range (at);
        create table app.nested_now partition of app.nested for values from ('2025-01-01') to (maxvalue);
        create table app.listed (at date, kind text) partition by list (kind);
        create table app.listed_a partition of app.listed for values in ('a') partition by range (at);
        """
    )

    measured = by_name(examine(database))["partitions-ahead"].measurements

    assert {each.object: each.severity for each in measured} == {
        "app.days": "ok",
        "app.nested": "ok",
        "app.listed_a": "critical",
    }


def test_the_indexes_of_partitions_count_for_the_partitioned_index(visitor: Visitor, database: str) -> None:
    visitor.execute(
        """
        create index days_other_idx on app.days (day, (day + 1));
        do $$ begin
          for number in 1..1000 loop perform from app.days_1; end loop;
          perform pg_catalog.pg_stat_force_next_flush();
        end $$
        """
    )

    measured = by_name(examine(database, ahead=timedelta(days=31)))["unused-index"].measurements

    assert [(each.severity, each.object) for each in measured] == [("warning", "app.days_other_idx")]


def test_objects_in_ignored_schemas_are_left_out(visitor: Visitor, database: str) -> None:
    visitor.execute("create index birds_same_idx on app.birds (name)")

    assert by_name(examine(database))["duplicate-index"].severity == "warning"
    assert by_name(examine(database, ignored=("app",)))["duplicate-index"].severity == "ok"


def test_an_equally_strict_unique_index_is_no_replacement_for_a_stricter_one(
    visitor: Visitor, database: str
) -> None:
    visitor.execute(
        "create unique index birds_unique_idx on app.birds (name) nulls not distinct;"
        "create unique index birds_looser_idx on app.birds (name)"
    )

    measured = by_name(examine(database))["duplicate-index"].measurements

    assert [each.object for each in measured] == ["app.birds_name_idx"]


@pytest.mark.parametrize("check", health_checks(), ids=lambda check: check.name)
def test_every_check_has_a_page_with_its_unit_and_its_role(check: HealthCheck) -> None:
    page = health_page(check)

    assert page.startswith(f"{check.code} {check.name}\n\n")
    assert len(page) > 200
    assert (f"Values in {check.unit}." in page) == (check.unit is not None)
    assert (f"Requires the role {check.role}." in page) == (check.role is not None)
    assert "breaks:" not in page


def test_codes_and_names_are_used_once() -> None:
    checks = health_checks()

    assert len({check.code for check in checks}) == len({check.name for check in checks}) == len(checks)


def test_checks_are_chosen_by_name_or_code() -> None:
    assert [check.code for check in chosen_checks(("unused-index", "hlt01"))] == ["HLT01", "HLT06"]
    with pytest.raises(BadCommandLine, match="There is no check `unused-indx`") as error:
        chosen_checks(("unused-indx",))
    assert error.value.hint == "Write `unused-index`."


@pytest.mark.parametrize(
    ("severities", "status"),
    [([], 0), (["ok", "unknown"], 0), (["unknown", "warning"], 1), (["critical", "warning", "ok"], 2)],
)
def test_the_exit_status_is_that_of_the_most_severe_check(severities: list[Any], status: int) -> None:
    assert exit_status(severities) == status


def test_a_check_without_its_privilege_is_unknown_and_names_the_grant() -> None:
    (check,) = chosen_checks(("long-transaction",))
    privileges = Privileges("monitor", frozenset({"pg_read_all_stats"}), frozenset({"pg_stat_activity"}))

    (result,) = results([check], privileges, [])

    assert result.severity == "unknown"
    assert result.grant == (
        'grant pg_read_all_stats to "monitor"; grant select on pg_catalog.pg_stat_activity to "monitor";'
    )
