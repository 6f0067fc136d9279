"""Migrations that say `batch:`, on real servers."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.database.servers import create_database, throwaway
from aigym_db.errors import Interrupted
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.backfill.statement import read
from aigym_db.migrate.observer import Observer, Progress
from aigym_db.migrate.options import Options
from aigym_db.migrate.preflight import steps
from aigym_db.migrate.rollback import rollback
from aigym_db.model.migration import Migration


class Between(Observer):
    """Does something between two batches, once for every function it is given."""

    def __init__(self, *doings: Callable[[], object]) -> None:
        self.doings = list(doings)
        self.seen: list[Progress] = []
        self.said: list[str] = []

    def progress(self, migration: Migration, progress: Progress) -> None:
        self.seen.append(progress)
        if self.doings:
            self.doings.pop(0)()

    def notice(self, migration: Migration, notice) -> None:
        self.said.append(notice.message)


class Killed(Exception):
    """What a test raises in the middle of a run."""


def kill() -> None:
    raise Killed


@pytest.mark.parametrize("name", ["embedded:18", "embedded:16", "system:15"])
def test_every_row_is_changed_once_and_in_batches_of_about_the_size_asked_for(
    table, backfill, counts, journal, name
) -> None:
    with throwaway(name) as server:
        dsn = create_database(server).dsn
        (_, finished) = migrate(dsn, (table, backfill()))

        with psycopg.connect(dsn) as connection:
            done = [detail for kind, detail in journal(connection) if kind == "done"]
            assert counts(connection) == [(1, 5000)]
            assert [row.version for row in ledger.applied(connection)] == [1, 2]

    assert finished.migration.version == 2
    assert sum(batch["rows"] for batch in done) == 5000
    assert max(batch["rows"] for batch in done) < 750
    assert [batch["from"] for batch in done[1:]] == [batch["until"] for batch in done[:-1]]


def test_each_batch_and_its_line_in_the_journal_are_one_transaction(database, other, table, backfill) -> None:
    migrate(database, (table, backfill()))

    transactions = other.execute(
        "select (select count(distinct xmin::text) from o),"
        " (select count(*) from aigym_db.event where version = 2 and kind = 'done'),"
        " (select count(*) from aigym_db.event"
        "  where kind = 'done' and xmin::text in (select xmin::text from o))"
    ).fetchone()

    assert transactions[0] == transactions[1] == transactions[2] > 3


def test_a_batch_reads_its_pages_and_no_others(database, other, table, backfill) -> None:
    migrate(database, (table,))
    migration = backfill()
    change = read(migration, migration.up, steps(migration.up))

    plan = [row[0] for row in other.execute("explain " + change.batch(3, 7).text).fetchall()]

    assert any("Tid Range Scan on o" in line for line in plan)
    assert any("TID Cond: ((ctid >= '(3,0)'::tid) AND (ctid < '(7,0)'::tid))" in line for line in plan)
    assert not any("Seq Scan" in line for line in plan)


def test_a_run_that_ends_between_two_batches_goes_on_there(
    database, other, table, backfill, counts, journal
) -> None:
    line = (table, backfill())
    with pytest.raises(Killed):
        migrate(database, line, observer=Between(lambda: None, kill))
    before = [detail for kind, detail in journal(other) if kind == "done"]

    again = Between()
    migrate(database, line, observer=again)

    after = [detail for kind, detail in journal(other) if kind == "done"]
    assert len(before) == 2
    assert after[2]["from"] == before[1]["until"]
    assert again.seen[0].done > before[1]["until"]
    assert counts(other) == [(1, 5000)]
    assert any("resumes at" in said for said in again.said)
    assert journal(other)[-1] == ("apply", {"rows": 5000, "batches": len(after)})


def test_a_row_that_moves_back_while_it_is_at_work_is_changed_all_the_same(
    database, other, table, backfill, counts
) -> None:
    migrate(database, (table,))
    other.execute("delete from o where id <= 2000")
    other.execute("vacuum o")
    moved: list[tuple[Any, ...]] = []

    def move() -> None:
        made = "update o set pad = repeat('y', 90) where id = 4000 returning (ctid::text::point)[0]"
        moved.extend(other.execute(made).fetchall())

    observer = Between(lambda: None, move)
    migrate(database, (table, backfill()), observer=observer)

    assert moved[0][0] < observer.seen[1].done
    assert counts(other) == [(1, 3000)]
    assert observer.seen[-1].phase == "backfill: checking for remaining rows"
    assert any(progress.phase.startswith("backfill, pass 2: ") for progress in observer.seen)


def test_a_table_that_is_written_anew_in_the_middle_is_looked_through_again(
    database, other, table, backfill, counts
) -> None:
    line = (table, backfill())
    migrate(database, (table,))
    # The rows of the first pages come last in the new file.
    other.execute("create index o_back on o ((-id))")
    observer = Between(lambda: None, lambda: other.execute("cluster o using o_back"))

    migrate(database, line, observer=observer)

    assert counts(other) == [(1, 5000)]
    assert any("was rewritten" in said for said in observer.said)


def test_rows_that_are_written_meanwhile_are_said_to_be_left(
    database, other, table, backfill, journal
) -> None:
    ids = iter(range(10_000, 99_999))

    class Inserting(Between):
        def progress(self, migration: Migration, progress: Progress) -> None:
            super().progress(migration, progress)
            other.execute("insert into o (id) values (%s)", [next(ids)])

    observer = Inserting()
    migrate(database, (table, backfill()), observer=observer)

    said = journal(other)
    ends = [detail["until"] for kind, detail in said if kind == "intent"]
    assert len(ends) == 3
    # Each pass ended at the page that was the last when it began.
    assert ends == [last["until"] for (_, last), (kind, _) in pairwise(said) if kind in ("intent", "apply")]
    assert any("still match the condition after 3 passes" in said for said in observer.said)
    assert other.execute("select n, count(*) from o where id <= 5000 group by n").fetchall() == [(1, 5000)]
    assert [row.version for row in ledger.applied(other)] == [1, 2]


def test_a_down_may_be_a_backfill(database, other, table, backfill, once, counts, journal) -> None:
    back = "update o set n = n - 1, done = false where done;"
    line = (table, backfill(2, once, back, down_options=" batch:500"))

    migrate(database, line)
    rollback(database, line, yes=True)
    migrate(database, line)
    with pytest.raises(Killed):
        rollback(database, line, yes=True, observer=Between(lambda: None, kill))
    rollback(database, line, yes=True)

    assert counts(other) == [(0, 5000)]
    assert [row.version for row in ledger.applied(other)] == [1]
    assert journal(other)[-1] == ("rollback", {"rows": 5000, "batches": journal(other)[-1][1]["batches"]})


def test_a_row_that_somebody_holds_is_waited_for_with_smaller_batches(
    database, other, table, backfill, counts, journal
) -> None:
    migrate(database, (table,))
    tries: list[int] = []

    class Holding(Between):
        def waiting(self, waiting) -> None:
            if waiting.reason == "retry":
                tries.append(1)
                other.execute("rollback")

    def hold() -> None:
        other.execute("begin")
        other.execute("select from o where id = 3000 for update")

    migrate(
        database,
        (table, backfill()),
        observer=Holding(hold),
        options=Options(lock_timeout_ms=100),
    )

    sizes = [detail["until"] - detail["from"] for kind, detail in journal(other) if kind == "done"]
    assert tries == [1]
    assert counts(other) == [(1, 5000)]
    assert min(sizes[:-1]) < sizes[0]


def test_it_acts_as_the_owner(database, other, table, write, backfill, once) -> None:
    other.execute("create role backfill_owner")
    try:
        text = once.replace("done = true", "done = true, pad = current_user")
        line = (
            table,
            write(2, "grant all on o to backfill_owner;"),
            backfill(3, text, options=" batch:500 role:backfill_owner"),
        )

        migrate(database, line)

        assert other.execute("select distinct pad from o").fetchall() == [("backfill_owner",)]
    finally:
        other.execute("drop owned by backfill_owner; drop role backfill_owner")


def test_a_signal_between_two_batches_ends_the_run_there(
    database, other, table, backfill, counts, journal
) -> None:
    line = (table, backfill())
    stopping = Between(lambda: None, lambda: os.kill(os.getpid(), signal.SIGTERM))

    with pytest.raises(Interrupted, match=r"Stopped by SIGTERM.*rows are changed and remain so"):
        migrate(database, line, observer=stopping)

    assert len(stopping.seen) == 2
    assert len([kind for kind, _ in journal(other) if kind == "done"]) == 2
    migrate(database, line)
    assert counts(other) == [(1, 5000)]


def test_where_there_is_nothing_to_do_the_journal_is_told_little(
    database, other, table, backfill, once, journal
) -> None:
    observer = Between()
    text = once.replace("where", "where id > 4900 and")

    migrate(database, (table, backfill(2, text, options=" batch:200")), observer=observer)

    lines = [detail for kind, detail in journal(other) if kind == "done"]
    assert len(observer.seen) > 20
    assert len(lines) < 10
    assert sum(line["rows"] for line in lines) == 100


def test_the_marker_takes_a_number_of_rows_and_nothing_beside_it(write, once) -> None:
    assert write(1, once, options=" batch:500").up.batch_rows == 500
    assert write(1, once, options=" batch:500").up.transaction is False
    assert write(1, once).up.batch_rows is None
