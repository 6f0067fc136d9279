"""Migrations with the option `batch`, on real servers."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.database.servers.databases import create_database
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.errors import Interrupted
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.backfill.statement import read
from aigym_db.migrate.observer import Observer, Progress
from aigym_db.migrate.options import Options
from aigym_db.migrate.preflight import steps
from aigym_db.migrate.rollback import rollback
from aigym_db.model.migration import Migration


class BetweenBatches(Observer):
    """Call one of the functions after each batch, in order."""

    def __init__(self, *functions: Callable[[], object]) -> None:
        self.functions = list(functions)
        self.reports: list[Progress] = []
        self.notices: list[str] = []

    def progress(self, migration: Migration, progress: Progress) -> None:
        self.reports.append(progress)
        if self.functions:
            self.functions.pop(0)()

    def notice(self, migration: Migration, notice) -> None:
        self.notices.append(notice.message)


class Killed(Exception):
    """Raised by a test to end a run between two batches."""


def kill() -> None:
    raise Killed


@pytest.mark.parametrize("name", ["embedded:18", "embedded:16", "system:15"])
def test_every_row_is_changed_once_in_batches_of_about_the_specified_size(
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


def test_each_batch_and_its_journal_entry_are_one_transaction(database, other, table, backfill) -> None:
    migrate(database, (table, backfill()))

    transactions = other.execute(
        "select (select count(distinct xmin::text) from o),"
        " (select count(*) from aigym_db.event where version = 2 and kind = 'done'),"
        " (select count(*) from aigym_db.event"
        "  where kind = 'done' and xmin::text in (select xmin::text from o))"
    ).fetchone()

    assert transactions[0] == transactions[1] == transactions[2] > 3


def test_a_batch_reads_only_its_own_pages(database, other, table, backfill) -> None:
    migrate(database, (table,))
    migration = backfill()
    change = read(migration, migration.up, steps(migration.up))

    plan = [row[0] for row in other.execute("explain " + change.batch(3, 7).text).fetchall()]

    assert any("Tid Range Scan on o" in line for line in plan)
    assert any("TID Cond: ((ctid >= '(3,0)'::tid) AND (ctid < '(7,0)'::tid))" in line for line in plan)
    assert not any("Seq Scan" in line for line in plan)


def test_a_run_that_ends_between_two_batches_is_resumed_there(
    database, other, table, backfill, counts, journal
) -> None:
    line = (table, backfill())
    with pytest.raises(Killed):
        migrate(database, line, observer=BetweenBatches(lambda: None, kill))
    before = [detail for kind, detail in journal(other) if kind == "done"]

    again = BetweenBatches()
    migrate(database, line, observer=again)

    after = [detail for kind, detail in journal(other) if kind == "done"]
    assert len(before) == 2
    assert after[2]["from"] == before[1]["until"]
    assert again.reports[0].done > before[1]["until"]
    assert counts(other) == [(1, 5000)]
    assert any("resumes at" in notice for notice in again.notices)
    assert journal(other)[-1] == ("apply", {"rows": 5000, "batches": len(after), "left": 0})


def test_a_row_that_moves_to_a_processed_page_is_changed_in_the_next_pass(
    database, other, table, backfill, counts
) -> None:
    migrate(database, (table,))
    other.execute("delete from o where id <= 2000")
    other.execute("vacuum o")
    moved: list[tuple[Any, ...]] = []

    def move() -> None:
        update = "update o set pad = repeat('y', 90) where id = 4000 returning (ctid::text::point)[0]"
        moved.extend(other.execute(update).fetchall())

    observer = BetweenBatches(lambda: None, move)
    migrate(database, (table, backfill()), observer=observer)

    assert moved[0][0] < observer.reports[1].done
    assert counts(other) == [(1, 3000)]
    assert observer.reports[-1].phase == "backfill: checking for remaining rows"
    assert any(progress.phase.startswith("backfill, pass 2: ") for progress in observer.reports)


def test_the_pass_starts_again_after_the_table_was_rewritten(
    database, other, table, backfill, counts
) -> None:
    line = (table, backfill())
    migrate(database, (table,))
    # The rows of the first pages come last in the new file.
    other.execute("create index o_back on o ((-id))")
    observer = BetweenBatches(lambda: None, lambda: other.execute("cluster o using o_back"))

    migrate(database, line, observer=observer)

    assert counts(other) == [(1, 5000)]
    assert any("was rewritten" in notice for notice in observer.notices)


class Writing(Observer):
    """Insert rows that match the condition at the end of each pass, as a concurrent application may.

    `numbers` are the numbers of rows for each pass; the end of pass `end` raises Killed instead.
    """

    def __init__(self, other: psycopg.Connection, numbers: Iterable[int], *, end: int = 0) -> None:
        self.other, self.numbers, self.end = other, iter(numbers), end
        self.passes = 0
        self.warnings: list[tuple[str, str]] = []

    def progress(self, migration: Migration, progress: Progress) -> None:
        if progress.phase == "backfill: checking for remaining rows":
            self.passes += 1
            if self.passes == self.end:
                raise Killed
            insert = "insert into o (id) select (select max(id) from o) + i from generate_series(1, %s) as i"
            self.other.execute(insert, [next(self.numbers, 0)])

    def notice(self, migration: Migration, notice) -> None:
        if notice.severity == "WARNING":
            self.warnings.append((notice.message, notice.hint))


@pytest.mark.parametrize(
    ("numbers", "passes", "left"),
    [
        ([], 1, 0),
        ([3, 3], 3, 0),
        ([9, 8, 7, 6, 5], 6, 0),
        ([1, 2, 1, 0], 4, 0),
        ([3, 3, 3, 2, 1], 3, 3),
        ([1, 1, 1], 3, 1),
        ([9, 8, 7, 7, 6], 4, 7),
        (range(50, 0, -1), 10, 41),
    ],
)
def test_passes_continue_while_the_number_of_rows_left_falls(
    database, other, table, backfill, journal, numbers, passes: int, left: int
) -> None:
    observer = Writing(other, numbers)

    migrate(database, (table, backfill()), observer=observer)

    assert observer.passes == passes
    assert other.execute("select count(*) from o where not done").fetchone() == (left,)
    assert other.execute("select n, count(*) from o where id <= 5000 group by n").fetchall() == [(1, 5000)]
    assert journal(other)[-1][1]["left"] == left
    assert [row.version for row in ledger.applied(other)] == [1, 2]
    assert len(observer.warnings) == (left > 0)
    for message, hint in observer.warnings:
        rows = f"{left} rows still match" if left > 1 else "1 row still matches"
        assert f"{rows} the condition after {passes} passes" in message
        assert "other sessions" not in message
        assert "in another migration" in hint


def test_rows_that_a_trigger_keeps_from_being_changed_are_a_warning(
    database, other, table, backfill, write
) -> None:
    trigger = write(
        2,
        "create function keep() returns trigger language plpgsql as $$ begin return null; end $$;"
        "create trigger keep before update on o for each row when (old.id = 7) execute function keep();",
    )
    observer = Writing(other, [])

    migrate(database, (table, trigger, backfill(3)), observer=observer)

    ((message, hint),) = observer.warnings
    assert message == "0003 step_3: 1 row still matches the condition after 3 passes."
    assert "whether a trigger or rule of the table keeps it from being changed" in hint


def test_counts_of_one_are_singular(database, write, backfill, listener) -> None:
    single_row = write(1, "create table o (id int, done boolean, n int); insert into o values (1, false, 0)")

    migrate(database, (single_row, backfill()), observer=listener)

    assert [notice.message for notice in listener.notices] == ["0002 step_2: 1 row changed in 1 batch."]


def test_a_pass_recorded_without_the_number_of_rows_left_is_resumed(
    database, other, table, backfill, journal
) -> None:
    with pytest.raises(Killed):
        migrate(database, (table, backfill()), observer=Writing(other, [5, 4], end=2))
    other.execute("alter table aigym_db.event disable trigger event_append_only")
    other.execute("update aigym_db.event set detail = detail - 'left' where kind = 'intent'")

    migrate(database, (table, backfill()))

    assert journal(other)[-1][1]["left"] == 0


def test_a_resumed_pass_compares_with_the_rows_that_the_pass_before_left(
    database, other, table, backfill, journal
) -> None:
    with pytest.raises(Killed):
        migrate(database, (table, backfill()), observer=Writing(other, [5, 4], end=3))
    observer = Writing(other, [4])

    migrate(database, (table, backfill()), observer=observer)

    assert (observer.passes, journal(other)[-1][1]["left"]) == (1, 4)


def test_a_row_that_matches_several_rows_of_another_table_is_counted_once(
    database, other, table, backfill, write, journal
) -> None:
    twice = write(2, "create table p (x int); insert into p values (1), (1);")
    joined = backfill(3, "update o set n = n + 1, done = true from p where not done and p.x = 1;")
    observer = Writing(other, [2, 2, 2])

    migrate(database, (table, twice, joined), observer=observer)

    assert journal(other, 3)[-1][1]["left"] == 2


def test_each_pass_ends_at_the_last_page_at_its_beginning(database, other, table, backfill, journal) -> None:
    class Inserting(Observer):
        ids = iter(range(10_000, 99_999))

        def progress(self, migration: Migration, progress: Progress) -> None:
            other.execute("insert into o (id) values (%s)", [next(self.ids)])

    migrate(database, (table, backfill()), observer=Inserting())

    events = journal(other)
    ends = [detail["until"] for kind, detail in events if kind == "intent"]
    assert len(ends) >= 3
    assert ends == [last["until"] for (_, last), (kind, _) in pairwise(events) if kind in ("intent", "apply")]


def test_a_down_part_may_be_a_backfill(database, other, table, backfill, once, counts, journal) -> None:
    back = "update o set n = n - 1, done = false where done;"
    line = (table, backfill(2, once, back, down_options=" batch:500"))

    migrate(database, line)
    rollback(database, line, yes=True)
    migrate(database, line)
    with pytest.raises(Killed):
        rollback(database, line, yes=True, observer=BetweenBatches(lambda: None, kill))
    rollback(database, line, yes=True)

    assert counts(other) == [(0, 5000)]
    assert [row.version for row in ledger.applied(other)] == [1]
    assert journal(other)[-1] == ("rollback", {**journal(other)[-1][1], "rows": 5000, "left": 0})


def test_after_a_lock_timeout_the_batch_is_retried_with_fewer_pages(
    database, other, table, backfill, counts, journal
) -> None:
    migrate(database, (table,))
    retries: list[int] = []

    class Releasing(BetweenBatches):
        def waiting(self, waiting) -> None:
            if waiting.reason == "retry":
                retries.append(1)
                other.execute("rollback")

    def lock() -> None:
        other.execute("begin")
        other.execute("select from o where id = 3000 for update")

    migrate(
        database,
        (table, backfill()),
        observer=Releasing(lock),
        options=Options(lock_timeout_ms=100),
    )

    sizes = [detail["until"] - detail["from"] for kind, detail in journal(other) if kind == "done"]
    assert retries == [1]
    assert counts(other) == [(1, 5000)]
    assert min(sizes[:-1]) < sizes[0]


def test_a_backfill_runs_under_the_role_of_the_part(database, other, table, write, backfill, once) -> None:
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


def test_a_signal_between_two_batches_ends_the_run(database, other, table, backfill, counts, journal) -> None:
    line = (table, backfill())
    stopping = BetweenBatches(lambda: None, lambda: os.kill(os.getpid(), signal.SIGTERM))

    with pytest.raises(Interrupted, match=r"Stopped by SIGTERM.*rows are changed and remain so"):
        migrate(database, line, observer=stopping)

    assert len(stopping.reports) == 2
    assert len([kind for kind, _ in journal(other) if kind == "done"]) == 2
    migrate(database, line)
    assert counts(other) == [(1, 5000)]


def test_batches_without_rows_write_few_journal_entries(
    database, other, table, backfill, once, journal
) -> None:
    observer = BetweenBatches()
    text = once.replace("where", "where id > 4900 and")

    migrate(database, (table, backfill(2, text, options=" batch:200")), observer=observer)

    lines = [detail for kind, detail in journal(other) if kind == "done"]
    assert len(observer.reports) > 20
    assert len(lines) < 10
    assert sum(line["rows"] for line in lines) == 100


def test_the_option_batch_sets_the_rows_and_excludes_a_transaction(write, once) -> None:
    assert write(1, once, options=" batch:500").up.batch_rows == 500
    assert write(1, once, options=" batch:500").up.transaction is False
    assert write(1, once).up.batch_rows is None
