"""Who counts what a down would take with it, for how long, and what a yes to it means."""

from __future__ import annotations

import pytest
from psycopg import sql

from aigym_db.errors import DataLoss, LedgerChanged
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.data_loss import data_loss
from aigym_db.migrate.options import Options
from aigym_db.migrate.rollback import rollback


@pytest.fixture
def keeper(other) -> str:
    """A role that may create schemas, and is no superuser."""
    other.execute(
        "do $$ begin if not exists (select from pg_roles where rolname = 'losses_keeper') then"
        " create role losses_keeper; end if; end $$"
    )
    other.execute(
        sql.SQL("grant create on database {} to losses_keeper").format(sql.Identifier(other.info.dbname))
    )
    return "losses_keeper"


def test_rows_of_an_owner_are_counted_as_the_owner(database, write, keeper) -> None:
    """Under row security a count must not come out as what the connected role may see."""
    up = "create schema app; create table app.a (id int); alter table app.a enable row level security;"
    chain = (write(1, f"{up} insert into app.a values (1);", "drop table app.a;"),)
    options = Options(owner=keeper)
    migrate(database, chain, options=options)

    with pytest.raises(DataLoss) as refusal:
        rollback(database, chain, options=options)

    assert refusal.value.detail == "app.a: 1 row"


def test_rows_that_row_security_hides_are_not_called_none(database, write, keeper) -> None:
    up = (
        "create schema app; create table app.a (id int); insert into app.a values (1);"
        "alter table app.a enable row level security; alter table app.a force row level security;"
    )
    chain = (write(1, up, "drop table app.a;"),)
    options = Options(owner=keeper)
    migrate(database, chain, options=options)

    with pytest.raises(DataLoss) as refusal:
        rollback(database, chain, options=options)

    assert refusal.value.detail == "app.a: rows that this role may not see"


def test_a_count_that_would_take_long_is_given_up_and_said(database, write, monkeypatch) -> None:
    monkeypatch.setattr(data_loss, "LONGEST_MS", 100)
    up = "create table a (id int); insert into a values (1);"
    chain = (write(1, up, "delete from a where pg_sleep(60) is null;"),)
    migrate(database, chain)

    with pytest.raises(DataLoss) as refusal:
        rollback(database, chain)

    assert refusal.value.detail == "a: rows that could not be counted in 0.1 s"


def test_what_was_said_yes_to_is_undone_and_nothing_else(database, write) -> None:
    line = [write(version, f"create table t{version} (); ", f"drop table t{version};") for version in (1, 2)]
    line[0] = write(1, "create table t1 (id int); insert into t1 values (1);", "drop table t1;")
    migrate(database, (line[0],))
    with pytest.raises(DataLoss) as refusal:
        rollback(database, (line[0],))
    migrate(database, tuple(line))

    with pytest.raises(LedgerChanged):
        rollback(database, tuple(line), yes=True, plan=refusal.value.plan)


def test_the_plan_that_was_said_yes_to_runs(database, other, write) -> None:
    chain = (write(1, "create table a (id int); insert into a values (1);", "drop table a;"),)
    migrate(database, chain)
    with pytest.raises(DataLoss) as refusal:
        rollback(database, chain)

    done = rollback(database, chain, yes=True, plan=refusal.value.plan)

    assert [finished.migration.version for finished in done] == [1]
    assert other.execute("select to_regclass('a')").fetchone() == (None,)


def test_nothing_is_left_behind_by_looking(database, other, write, listener) -> None:
    """Counting acts as the owner and sets a timeout, in a transaction that is rolled back."""
    down = "do $$ begin raise notice '%', current_setting('statement_timeout'); end $$; drop table a;"
    chain = (write(1, "create table a ();", down),)
    migrate(database, chain)

    rollback(database, chain, observer=listener)

    assert [notice.message for notice in listener.notices] == ["0"]
