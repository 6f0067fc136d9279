"""Backfills with others at work on the same rows."""

from __future__ import annotations

import random
import threading
from itertools import count

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aigym_db.database import ledger
from aigym_db.database.servers import create_database, drop_database, throwaway
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.backfill.pace import BatchSize
from aigym_db.migrate.observer import Observer, Progress
from aigym_db.model.migration import Migration


def test_a_batch_that_keeps_somebody_waiting_is_noticed(
    database, other, table, write, counts, monkeypatch
) -> None:
    """The batch stands still at row 100; somebody wants row 1, which it has changed already."""
    slow = "case when id = 100 then pg_advisory_xact_lock_shared(77) is not null else true end"
    line = (
        table,
        write(
            2, f"update o set n = n + 1, done = {slow} where not done;", options=" batch:500 lock_timeout:60s"
        ),
    )
    told: list[bool] = []
    learn = BatchSize.done

    def learned(self: BatchSize, pages: int, rows: int, took_ms: float, waited_for: bool) -> float:
        told.append(waited_for)
        return learn(self, pages, rows, took_ms, waited_for)

    monkeypatch.setattr(BatchSize, "done", learned)
    migrate(database, line, to=1)
    other.execute("select pg_advisory_lock(77)")
    wanting = threading.Thread(target=_touch, args=(database,))

    class Letting(Observer):
        seen = 0

        def waiting(self, waiting) -> None:
            if not wanting.ident:
                wanting.start()
            row = other.execute(
                "select count(*) from pg_stat_activity where application_name = 'wanting'"
                " and cardinality(pg_blocking_pids(pid)) > 0"
            ).fetchone()
            self.seen += row[0]
            # At the second time the run itself has looked, too.
            if self.seen == 2:
                other.execute("select pg_advisory_unlock(77)")

    migrate(database, line, observer=Letting())
    wanting.join()

    assert told[0] is True
    assert not any(told[1:])
    assert counts(other) == [(1, 5000)]


def _touch(database: str) -> None:
    with psycopg.connect(database, application_name="wanting") as connection:
        connection.execute("update o set pad = 'wanted' where id = 1")


@pytest.mark.parametrize("name", ["embedded:18", "embedded:16"])
def test_with_an_application_at_work_on_the_same_rows_each_is_changed_once(
    table, write, backfill, name
) -> None:
    line = (write(1, table.up.text.replace("5000", "20000")), backfill(options=" batch:60"))
    over = threading.Event()
    worked: list[int] = []

    def work(dsn: str, seed: int) -> None:
        dice, done = random.Random(seed), 0
        with psycopg.connect(dsn, autocommit=True) as connection:
            while not over.is_set():
                values = {"id": dice.randint(1, 20_000), "new": 100_000 * seed + done}
                with connection.transaction():
                    connection.execute("update o set pad = repeat('z', 90) where id = %(id)s", values)
                    connection.execute("delete from o where id = %(id)s + 1 and id %% 5 = 0", values)
                    connection.execute("insert into o (id, n, done) values (%(new)s, 1, true)", values)
                done += 1
        worked.append(done)

    with throwaway(name) as server:
        dsn = create_database(server).dsn
        migrate(dsn, line, to=1)
        threads = [threading.Thread(target=work, args=(dsn, seed)) for seed in (1, 2, 3)]
        for thread in threads:
            thread.start()
        migrate(dsn, line)
        over.set()
        for thread in threads:
            thread.join()

        with psycopg.connect(dsn) as connection:
            assert connection.execute("select distinct n, done from o").fetchall() == [(1, True)]
    assert len([done for done in worked if done > 0]) == 3


class Ended(Exception):
    """What a test raises in the middle of a run."""


@pytest.mark.exhaustive
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    fillfactor=st.integers(10, 100),
    batch=st.integers(1, 900),
    stop=st.integers(1, 40),
)
def test_whatever_the_table_looks_like_each_row_is_changed_exactly_once_with_others_at_work(
    server, write, backfill, seed, fillfactor, batch, stop
) -> None:
    dice = random.Random(seed)
    created = create_database(server)
    database = created.dsn
    made = write(
        1,
        f"create table o (id int primary key, n int default 0, done boolean default false, pad text)"
        f" with (fillfactor = {fillfactor}, autovacuum_enabled = {dice.choice(['true', 'false'])});"
        "insert into o (id, pad) select i, repeat('x', 100) from generate_series(1, 1500) as i;"
        f"delete from o where id % {dice.randint(2, 9)} = 0 or id < {dice.randint(0, 900)};",
    )
    line = (made, backfill(options=f" batch:{batch}"))
    migrate(database, line, to=1)

    class Disturbing(Observer):
        batches = 0

        def progress(self, migration: Migration, progress: Progress) -> None:
            self.batches += 1
            first = dice.randint(1, 1500)
            other.execute(dice.choice(CHANGES), {"id": first, "new": next(fresh)})
            if self.batches == stop:
                raise Ended

    fresh = count(10_000)
    with psycopg.connect(database, autocommit=True) as other:
        if dice.random() < 0.5:
            other.execute("vacuum o")
        observer = Disturbing()
        ends = 0
        while [row.version for row in ledger.applied(other)] != [1, 2]:
            ends += 1
            assert ends < 5
            try:
                migrate(database, line, observer=observer)
            except Ended:
                observer.batches = stop + 1
        assert {n for (n,) in other.execute("select distinct n from o").fetchall()} <= {1}
        assert other.execute("select count(*) from o where not done").fetchone() == (0,)
    drop_database(server, created.name)


CHANGES = (
    # Moves rows to wherever there is room, before or behind the page the backfill is at.
    "update o set pad = repeat('y', 150) where id between %(id)s and %(id)s + 200",
    "delete from o where id between %(id)s and %(id)s + 20",
    "insert into o (id, n, done) values (%(new)s, 1, true) on conflict do nothing",
    "vacuum o",
    "vacuum full o",
    "select 1",
)
