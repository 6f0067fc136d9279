"""Backfills while other sessions change the same rows."""

from __future__ import annotations

import random
import threading
from itertools import count

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aigym_db.database import ledger
from aigym_db.database.servers.databases import create_database, drop_database
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.backfill.pace import BatchSize
from aigym_db.migrate.backfill.passes import MIN_PASSES
from aigym_db.migrate.observer import Observer, Progress
from aigym_db.model.migration import Migration


def test_a_batch_that_blocks_another_session_is_detected(
    database, other, table, write, counts, monkeypatch
) -> None:
    """The batch waits at row 100; another session updates row 1, which the batch has changed already."""
    slow = "case when id = 100 then pg_advisory_xact_lock_shared(77) is not null else true end"
    line = (
        table,
        write(
            2, f"update o set n = n + 1, done = {slow} where not done;", options=" batch:500 lock_timeout:60s"
        ),
    )
    waited: list[bool] = []
    done = BatchSize.done

    def recording(self: BatchSize, pages: int, rows: int, took_ms: float, waited_for: bool) -> float:
        waited.append(waited_for)
        return done(self, pages, rows, took_ms, waited_for)

    monkeypatch.setattr(BatchSize, "done", recording)
    migrate(database, line, to=1)
    other.execute("select pg_advisory_lock(77)")
    blocked = threading.Thread(target=_touch, args=(database,))

    class Unlocking(Observer):
        polls = 0

        def waiting(self, waiting) -> None:
            if not blocked.ident:
                blocked.start()
            row = other.execute(
                "select count(*) from pg_stat_activity where application_name = 'blocked'"
                " and cardinality(pg_blocking_pids(pid)) > 0"
            ).fetchone()
            self.polls += row[0]
            # By the second poll the run has checked for blocked sessions, too.
            if self.polls == 2:
                other.execute("select pg_advisory_unlock(77)")

    migrate(database, line, observer=Unlocking())
    blocked.join()

    assert waited[0] is True
    assert not any(waited[1:])
    assert counts(other) == [(1, 5000)]


def _touch(database: str) -> None:
    with psycopg.connect(database, application_name="blocked") as connection:
        connection.execute("update o set pad = 'updated' where id = 1")


@pytest.mark.parametrize("name", ["embedded:18", "embedded:16"])
def test_every_row_is_changed_once_while_an_application_changes_the_table(
    table, write, backfill, name
) -> None:
    line = (write(1, table.up.text.replace("5000", "20000")), backfill(options=" batch:60"))
    stop = threading.Event()
    transactions: list[int] = []

    def work(dsn: str, seed: int) -> None:
        dice, done = random.Random(seed), 0
        with psycopg.connect(dsn, autocommit=True) as connection:
            while not stop.is_set():
                values = {"id": dice.randint(1, 20_000), "new": 100_000 * seed + done}
                with connection.transaction():
                    connection.execute("update o set pad = repeat('z', 90) where id = %(id)s", values)
                    connection.execute("delete from o where id = %(id)s + 1 and id %% 5 = 0", values)
                    connection.execute("insert into o (id, n, done) values (%(new)s, 1, true)", values)
                done += 1
        transactions.append(done)

    with throwaway(name) as server:
        dsn = create_database(server).dsn
        migrate(dsn, line, to=1)
        threads = [threading.Thread(target=work, args=(dsn, seed)) for seed in (1, 2, 3)]
        for thread in threads:
            thread.start()
        migrate(dsn, line, observer=StoppingBeforeTheLastPass(stop, threads))
        stop.set()
        for thread in threads:
            thread.join()

        with psycopg.connect(dsn) as connection:
            assert connection.execute("select distinct n, done from o").fetchall() == [(1, True)]
    assert len([done for done in transactions if done > 0]) == 3


class StoppingBeforeTheLastPass(Observer):
    """Stop the application before the last pass: rows that it moves during that pass may remain unchanged."""

    def __init__(self, stop: threading.Event, threads: list[threading.Thread]) -> None:
        self.stop, self.threads = stop, threads
        self.checks = 0

    def progress(self, migration: Migration, progress: Progress) -> None:
        self.checks += progress.phase == "backfill: checking for remaining rows"
        if self.checks == MIN_PASSES - 1 and not self.stop.is_set():
            self.stop.set()
            for thread in self.threads:
                thread.join()


class Ended(Exception):
    """Raised by a test to end a run between two batches."""


@pytest.mark.exhaustive
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    fillfactor=st.integers(10, 100),
    batch=st.integers(1, 900),
    stop=st.integers(1, 40),
)
def test_every_row_is_changed_exactly_once_in_any_table_while_others_change_it(
    server, write, backfill, seed, fillfactor, batch, stop
) -> None:
    dice = random.Random(seed)
    created = create_database(server)
    database = created.dsn
    create = write(
        1,
        f"create table o (id int primary key, n int default 0, done boolean default false, pad text)"
        f" with (fillfactor = {fillfactor}, autovacuum_enabled = {dice.choice(['true', 'false'])});"
        "insert into o (id, pad) select i, repeat('x', 100) from generate_series(1, 1500) as i;"
        f"delete from o where id % {dice.randint(2, 9)} = 0 or id < {dice.randint(0, 900)};",
    )
    line = (create, backfill(options=f" batch:{batch}"))
    migrate(database, line, to=1)

    class Disturbing(Observer):
        batches = 0

        def progress(self, migration: Migration, progress: Progress) -> None:
            self.batches += 1
            # Rows that move during the last pass may remain unchanged.
            if not progress.phase.startswith(f"backfill, pass {MIN_PASSES}"):
                values = {"id": dice.randint(1, 1500), "new": next(new_ids)}
                other.execute(dice.choice(CHANGES), values)
            if self.batches == stop:
                raise Ended

    new_ids = count(10_000)
    with psycopg.connect(database, autocommit=True) as other:
        if dice.random() < 0.5:
            other.execute("vacuum o")
        observer = Disturbing()
        runs = 0
        while [row.version for row in ledger.applied(other)] != [1, 2]:
            runs += 1
            assert runs < 5
            try:
                migrate(database, line, observer=observer)
            except Ended:
                observer.batches = stop + 1
        assert {n for (n,) in other.execute("select distinct n from o").fetchall()} <= {1}
        assert other.execute("select count(*) from o where not done").fetchone() == (0,)
    drop_database(server, created.name)


CHANGES = (
    # Moves rows to any page with free space, processed or not.
    "update o set pad = repeat('y', 150) where id between %(id)s and %(id)s + 200",
    "delete from o where id between %(id)s and %(id)s + 20",
    "insert into o (id, n, done) values (%(new)s, 1, true) on conflict do nothing",
    "vacuum o",
    "vacuum full o",
    "select 1",
)
