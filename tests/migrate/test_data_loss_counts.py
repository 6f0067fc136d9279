"""The role and the time limit of the counts, and the plan that a confirmation is for."""

from __future__ import annotations

import pytest
from psycopg import sql

from aigym_db.errors import DataLoss, LedgerChanged
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.data_loss import data_loss, row_count
from aigym_db.migrate.options import Options
from aigym_db.migrate.rollback import rollback


@pytest.fixture
def keeper(other) -> str:
    """A non-superuser role with CREATE on the database."""
    other.execute(
        "do $$ begin if not exists (select from pg_roles where rolname = 'data_loss_keeper') then"
        " create role data_loss_keeper; end if; end $$"
    )
    other.execute(
        sql.SQL("grant create on database {} to data_loss_keeper").format(sql.Identifier(other.info.dbname))
    )
    return "data_loss_keeper"


def test_rows_are_counted_as_the_owner(database, write, keeper) -> None:
    """Under row security the count of the connected role can differ."""
    up = "create schema app; create table app.a (id int); alter table app.a enable row level security;"
    chain = (write(1, f"{up} insert into app.a values (1);", "drop table app.a;"),)
    options = Options(owner=keeper)
    migrate(database, chain, options=options)

    with pytest.raises(DataLoss) as raised:
        rollback(database, chain, options=options)

    assert raised.value.detail == "app.a: 1 row"


def test_rows_hidden_by_row_security_are_not_counted_as_none(database, write, keeper) -> None:
    up = (
        "create schema app; create table app.a (id int); insert into app.a values (1);"
        "alter table app.a enable row level security; alter table app.a force row level security;"
    )
    chain = (write(1, up, "drop table app.a;"),)
    options = Options(owner=keeper)
    migrate(database, chain, options=options)

    with pytest.raises(DataLoss) as raised:
        rollback(database, chain, options=options)

    assert raised.value.detail == "app.a: no permission to count the rows"


def test_a_count_that_exceeds_its_time_limit_is_reported(database, write, monkeypatch) -> None:
    monkeypatch.setattr(data_loss, "COUNT_TIMEOUT_MS", 100)
    monkeypatch.setattr(row_count, "COUNT_TIMEOUT_MS", 100)
    up = "create table a (id int); insert into a values (1);"
    chain = (write(1, up, "delete from a where pg_sleep(60) is null;"),)
    migrate(database, chain)

    with pytest.raises(DataLoss) as raised:
        rollback(database, chain)

    assert raised.value.detail == "a: counting the rows took longer than 0.1 s"


def test_a_confirmed_plan_does_not_run_after_the_ledger_changed(database, write) -> None:
    line = [write(version, f"create table t{version} (); ", f"drop table t{version};") for version in (1, 2)]
    line[0] = write(1, "create table t1 (id int); insert into t1 values (1);", "drop table t1;")
    migrate(database, (line[0],))
    with pytest.raises(DataLoss) as raised:
        rollback(database, (line[0],))
    migrate(database, tuple(line))

    with pytest.raises(LedgerChanged):
        rollback(database, tuple(line), yes=True, plan=raised.value.plan)


def test_a_confirmed_plan_runs(database, other, write) -> None:
    chain = (write(1, "create table a (id int); insert into a values (1);", "drop table a;"),)
    migrate(database, chain)
    with pytest.raises(DataLoss) as raised:
        rollback(database, chain)

    done = rollback(database, chain, yes=True, plan=raised.value.plan)

    assert [finished.migration.version for finished in done] == [1]
    assert other.execute("select to_regclass('a')").fetchone() == (None,)


def test_the_check_leaves_no_session_state(database, other, write, listener) -> None:
    """Counting acts as the owner and sets a timeout, in a transaction that is rolled back."""
    down = "do $$ begin raise notice '%', current_setting('statement_timeout'); end $$; drop table a;"
    chain = (write(1, "create table a ();", down),)
    migrate(database, chain)

    rollback(database, chain, observer=listener)

    assert [notice.message for notice in listener.notices] == ["0"]
