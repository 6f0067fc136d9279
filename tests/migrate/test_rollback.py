"""Rolling back migrations."""

from __future__ import annotations

import pytest

from aigym_db.database import ledger
from aigym_db.errors import DataLoss, Irreversible
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.rollback import rollback


@pytest.fixture
def line(write):
    return (
        write(1, "create schema app; create table app.a (id int);", "drop table app.a; drop schema app;"),
        write(2, "alter table app.a add column note text;", "alter table app.a drop column note;"),
        write(3, "create table app.b (id int);", "drop table app.b;"),
    )


def there(connection, name: str) -> bool:
    return connection.execute("select to_regclass(%s) is not null", [name]).fetchone()[0]


def test_the_newest_migration_is_rolled_back_first_and_both_are_recorded(
    database, other, line, listener
) -> None:
    migrate(database, line)

    rollback(database, line, to=0, observer=listener)

    assert [finished.migration.version for finished in listener.done] == [3, 2, 1]
    assert ledger.applied(other) == ()
    rows = other.execute(
        "select kind::text, version from aigym_db.event where kind in ('apply', 'rollback') order by id"
    )
    assert rows.fetchall() == [
        ("apply", 1),
        ("apply", 2),
        ("apply", 3),
        ("rollback", 3),
        ("rollback", 2),
        ("rollback", 1),
    ]


def test_up_down_up_is_applied_once(database, other, line) -> None:
    migrate(database, line)
    rollback(database, line, steps=2)

    migrate(database, line)

    assert [row.version for row in ledger.applied(other)] == [1, 2, 3]


def test_an_irreversible_migration_rejects_the_whole_rollback(database, other, line, write) -> None:
    line = (line[0], write(2, "select 1;", None), line[2])
    migrate(database, line)

    with pytest.raises(Irreversible):
        rollback(database, line, to=0)

    assert there(other, "app.b")


@pytest.mark.parametrize(
    ("fill", "to", "expected"),
    [
        ("insert into app.b select generate_series(1, 3)", 2, "app.b: 3 rows"),
        ("insert into app.b select generate_series(1, 10001)", 2, "app.b: 10000 or more rows"),
        ("insert into app.a (note) values ('x'), (null)", 1, "app.a.note: 1 row"),
        ("insert into app.a values (1)", 0, "app.a: 1 row"),
    ],
)
def test_data_loss_needs_a_confirmation(database, other, line, fill: str, to: int, expected: str) -> None:
    migrate(database, line)
    other.execute(fill)

    with pytest.raises(DataLoss) as error:
        rollback(database, line, to=to)

    assert expected in error.value.detail.splitlines()
    assert [row.version for row in ledger.applied(other)] == [1, 2, 3]
    assert len(rollback(database, line, to=to, yes=True)) == 3 - to


@pytest.mark.parametrize(
    "down", ["drop schema app cascade;", "truncate app.a;", "drop table if exists app.gone, app.a;"]
)
def test_data_loss_is_detected_for_every_destructive_statement(database, other, write, down: str) -> None:
    line = (write(1, "create schema app; create table app.a (id int);", down),)
    migrate(database, line)
    other.execute("insert into app.a values (1)")

    with pytest.raises(DataLoss, match="would destroy data"):
        rollback(database, line)


@pytest.mark.parametrize(
    "up",
    [
        "create table app.a (id int) partition by list (id); create table app.p partition of app.a default;",
        "create table app.a (id int); create table app.p () inherits (app.a);",
    ],
)
def test_data_loss_includes_partitions_and_child_tables(database, other, write, up: str) -> None:
    line = (write(1, f"create schema app; {up}", "drop table app.a cascade;"),)
    migrate(database, line)
    other.execute("insert into app.p values (1)")

    with pytest.raises(DataLoss) as error:
        rollback(database, line)

    assert error.value.detail.splitlines() == ["app.a: 1 row"]


def test_a_column_of_nulls_may_be_dropped(database, other, line) -> None:
    migrate(database, line)
    other.execute("insert into app.a values (1), (2)")

    assert [finished.migration.version for finished in rollback(database, line, to=1)] == [3, 2]


def test_a_rollback_without_applied_migrations_succeeds(database, line) -> None:
    assert rollback(database, line, to=0) == ()
