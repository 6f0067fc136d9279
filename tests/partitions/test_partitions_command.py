"""What the command `partitions` prints and reports, and the schedules."""

from __future__ import annotations

import psycopg

from tests.partitions.conftest import (
    create_partitions,
    month,
    partition_name,
)
from tests.support.command import ProjectInProcess

Visitor = psycopg.Connection[tuple[object, ...]]


def test_the_command_prints_steps_and_documents(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    create_partitions(visitor, -2, 12)

    planned = project("--database", database, "partitions", "plan")
    document = project("--format", "json", "--database", database, "partitions", "plan").document
    applied = project("--database", database, "partitions", "apply", "app.events")
    again = project("--database", database, "partitions", "apply")
    unknown = project("--database", database, "partitions", "plan", "app.event")

    assert planned.out == f"create   app.events  {partition_name(13)}  (1 partition)\n1 step due.\n"
    assert [(step["kind"], [due["name"] for due in step["partitions"]]) for step in document["steps"]] == [
        ("create", [f"app.{partition_name(13)}"])
    ]
    assert applied.out == f"create   app.events  {partition_name(13)}  (1 partition)\n"
    assert again.out == "Nothing is due.\n"
    assert (unknown.status, "Write `app.events`." in unknown.err) == (2, True)


def test_a_detached_partition_with_a_name_of_another_form_is_reported(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    create_partitions(visitor, -5, 13)
    visitor.execute(f"alter table app.{partition_name(-5)} rename to old")

    applied = project("--database", database, "partitions", "apply")

    assert applied.out == (
        f"detach   app.events  old  (neither archived nor dropped: its name is not {partition_name(-5)})\n"
        f"detach   app.events  {partition_name(-4)}\narchive  app.events  {partition_name(-4)}\n"
    )


def test_an_error_of_one_table_leaves_out_its_steps_only(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    visitor.execute(
        "create table app.a (at timestamptz) partition by range (at);"
        "create table app.a_default partition of app.a default;"
        "insert into app.a values (now());"
        "create table app.b (at timestamptz) partition by range (at);"
        f"create table app.b_p{month(1):%Y%m} (x int);"
        "create table app.c (at timestamptz) partition by range (at);"
        "create schema closed; create table closed.c_overflow (at timestamptz);"
        f"alter table app.c attach partition closed.c_overflow for values from ('{month(0)}') to (maxvalue);"
        f"create table app.c_first partition of app.c for values from ('{month(-1)}') to ('{month(0)}');"
        "create role partition_owner; alter schema app owner to partition_owner".encode()
    )
    for table in ("people", "events", "a", "b"):
        visitor.execute(f"alter table app.{table} owner to partition_owner".encode())
    project.write(
        "aigym-db.toml",
        'owner = "partition_owner"\n[partitions]\n"app.a" = "range at month keep 3"\n'
        '"app.b" = "range at month keep 3"\n"app.c" = "range at month keep 3"\n'
        '"app.events" = "range created_at month keep 3"\n',
    )

    applied = project("--database", database, "partitions", "apply")

    assert (
        applied.out == f"create   app.events  {partition_name(0)} to {partition_name(13)}  (14 partitions)\n"
    )
    assert applied.status == 3
    assert (
        'app.a: create failed: updated partition constraint for default partition "a_default"' in applied.err
    )
    assert "app.c: plan failed: permission denied for schema closed" in applied.err
    assert f"app.b_p{month(1):%Y%m} exists and is not a partition of app.b" in applied.err


def test_a_table_that_is_not_partitioned_as_its_strategy_describes_is_reported(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    visitor.execute(
        'create table app.hashed (id int) partition by hash (id); create table app."A b" ("At" date) '
        'partition by range ("At")'
    )
    project.write(
        "aigym-db.toml",
        '[partitions]\n"app.events" = "range created month keep 3"\n"app.hashed" = "range id month keep 3"\n'
        '"app.missing" = "range at month keep 3"\n"app.A b" = "range At month keep 3"\n',
    )

    applied = project("--database", database, "partitions", "apply")
    named = project("--database", database, "partitions", "apply", "app.events")

    reason = "not partitioned by range of the date or timestamp column of its strategy"
    assert applied.out == (
        f"create   app.A b  A b_p{month(0):%Y%m} to A b_p{month(13):%Y%m}  (14 partitions)\n"
        f"skipped  app.events  ({reason})\n"
        f"skipped  app.hashed  ({reason})\n"
        f"skipped  app.missing  ({reason})\n"
    )
    assert applied.status == 1
    assert (named.status, f"The table app.events is {reason}." in named.err) == (2, True)


def test_the_schedules_leave_out_the_password(database: str, project: ProjectInProcess) -> None:
    dsn = "postgresql://deploy:secret@db.example.org/app?application_name=a%25b"

    cron = project("--database", dsn, "partitions", "--print", "cron").out
    systemd = project("--database", dsn, "partitions", "--print", "systemd").out

    assert cron.startswith("17 3 * * *  ")
    assert cron.endswith("partitions apply --lock-wait 3600\n")
    assert r"application_name=a\%b" in cron
    assert "application_name=a%%b" in systemd
    assert "OnCalendar=" in systemd
    assert "secret" not in cron + systemd


def test_pg_cron_requires_a_function(visitor: Visitor, database: str, project: ProjectInProcess) -> None:
    rejected = project("--database", database, "partitions", "--print", "pg_cron")
    visitor.execute("create schema ops; create function ops.ensure_all_partitions() returns int return 1")
    accepted = project("--database", database, "partitions", "--print", "pg_cron")

    assert (rejected.status, "ops.ensure_all_partitions()" in rejected.err) == (2, True)
    assert (
        "cron.schedule('aigym-db partitions', '17 3 * * *', 'select ops.ensure_all_partitions()')"
        in accepted.out
    )
