"""A data change in batches of pages, each a transaction that also records its progress.

The condition of the statement is false for a changed row, and every batch checks this. So no row is changed
twice, and a further pass over the pages is safe. It can be necessary: a row that the application updates
meanwhile may move from a page not yet processed to a processed one. After each pass a query over the whole
table, in one snapshot, counts the rows that still match; if there are any, the next pass begins. The
number of passes is limited; see `Pass.needs_another`.
"""

from __future__ import annotations

import time
from dataclasses import replace

import psycopg

from aigym_db.database import ledger
from aigym_db.database.failure import explain_error
from aigym_db.database.queries import query
from aigym_db.errors import AigymError, ForbiddenStatement, Interrupted, PartiallyApplied
from aigym_db.migrate.backfill.batch import Batch, Rewritten, change_pages, measured, rows_left
from aigym_db.migrate.backfill.pace import BatchSize
from aigym_db.migrate.backfill.passes import Pass, known
from aigym_db.migrate.backfill.replication_lag import Standbys
from aigym_db.migrate.backfill.statement import read
from aigym_db.migrate.non_transactional.journal import Journal
from aigym_db.migrate.observer import Finished, Notice, Progress
from aigym_db.migrate.session.attempt import MigrationAttempt
from aigym_db.migrate.session.message import Message
from aigym_db.migrate.session.migration_run import Run
from aigym_db.migrate.session.reconnect import ServerAway, all_ended, has_ended
from aigym_db.migrate.session.session_settings import RESET_ALL
from aigym_db.migrate.session.transaction import Patience, Try
from aigym_db.migrate.step import Step
from aigym_db.model.migration import Direction, Migration, Part
from aigym_db.model.wording import counted

NOTE_S = 1.0
"""Longest interval between journal entries while there are no rows to change."""


def run_backfill(
    run: Run, migration: Migration, direction: Direction, part: Part, steps: tuple[Step, ...]
) -> None:
    """Change every row that matches the condition, a batch at a time, then record the ledger row.

    Resume where an earlier run ended. Raise PartiallyApplied (AIG-H001) once rows are changed, before that
    the error of the server, and ForbiddenStatement (AIG-P010) if a changed row still matches the condition.
    Raise ServerAway if the server went away after a batch was committed: the journal contains the last one.
    """
    run.check(migration)
    with MigrationAttempt(run, migration) as attempt:
        run.started(migration)
        backfill = _Backfill(Journal(attempt, migration, direction, part, steps))
        try:
            with attempt.looking(backfill.look):
                backfill.run_all()
        except (AigymError, psycopg.Error) as error:
            raise backfill.stopped(error) from None


class _Backfill:
    """The state of one running backfill."""

    def __init__(self, journal: Journal) -> None:
        self.journal, self.run = journal, journal.run
        self.migration, self.label = journal.migration, journal.migration.label
        self.change = read(journal.migration, journal.part, journal.steps)
        options = self.run.options
        entries = ledger.journal(self.run.second, self.migration.version, journal.direction, options.scope)
        before = known(entries, self.change.step, self.migration, anew=options.resolve == "again")
        self.current = before.current
        self.rows, self.batches, self.rows_before = before.rows, before.batches, before.rows
        self.standbys = Standbys(self.run, self.migration)
        self.batch_rows = journal.part.batch_rows or 1
        self.pace = BatchSize(self.batch_rows)
        self.took_ms = self.lost_ms = 0.0
        self.waited_for = False
        self.noted = self.began = time.monotonic()
        self.pages_before = 0

    def run_all(self) -> None:
        """Run the necessary passes and record the ledger row."""
        if self.current is not None:
            self.pace = BatchSize(self.batch_rows, measured(self.journal, self.change, 1)[1])
            self._notice(f"resumes at {self._percent()}, with {counted(self.rows, 'row')} done")
        while True:
            current = self.current or self._begin(1)
            self._go_through(current)
            self._report_progress("backfill: checking for remaining rows")
            left = rows_left(self.journal, self.change)
            if not current.needs_another(left):
                break
            self.current = self._begin(current.number + 1, left)
        counts = {"rows": self.rows, "batches": self.batches, "left": left}
        detail = {**self.run.detail(self.migration), **counts}
        took_ms = round(self.took_ms, 3)
        self.journal.happened(self.journal.outcome(self.lost_ms, detail=detail, duration_ms=took_ms))
        self._notice(f"{counted(self.rows, 'row')} changed in {counted(self.batches, 'batch')}")
        if left:
            match, them = ("matches", "it") if left == 1 else ("match", "them")
            self._notice(
                f"{counted(left, 'row')} still {match} the condition after {counted(current.number, 'pass')}",
                "Check whether other sessions write such rows, or whether a trigger or rule of the table "
                f"keeps {them} from being changed. Correct the cause, then change {them} in another "
                "migration with the same statement.",
                severity="WARNING",
            )
        self.run.finish(Finished(self.migration, self.took_ms, self.lost_ms))
        self.run.session.send(Message.of(RESET_ALL))

    def look(self) -> None:
        """Record, while a batch runs, whether another session waits for it."""
        pid = {"pid": self.run.session.pid}
        waiting = self.run.second.execute(query("migrate/backfill_waiters"), pid).fetchone()
        self.waited_for = self.waited_for or waiting != (0,)

    def stopped(self, error: AigymError | psycopg.Error) -> Exception:
        """Return the error to raise: PartiallyApplied once rows are changed, else the error itself."""
        run = self.run
        if self.rows:
            self.journal.attempt.keep(f"{counted(self.rows, 'row')} of {self.label}, which stay")
        if has_ended(run.second) or has_ended(run.session.connection):
            return self._away()
        if isinstance(error, psycopg.Error):
            error = explain_error(error, doing=self.label)
        if not isinstance(error, PartiallyApplied):
            run.failed(self.migration, self.journal.direction, error, 1)
        if self.rows == 0 or isinstance(error, PartiallyApplied):
            return error
        remain = "row is changed and remains so" if self.rows == 1 else "rows are changed and remain so"
        message, done = error.message.rstrip("."), f"{self.rows:,} {remain}"
        if isinstance(error, Interrupted):
            return run.interrupted(self.migration, f"{self.label} is at {self._percent()}: {done}.")
        again = " with `--resolve again`" if isinstance(error, ForbiddenStatement) else ""
        return PartiallyApplied(
            f"{message}. This was at {self._percent()} of the backfill: {done}.",
            place=error.place or self.change.step.place(),
            detail=error.detail,
            hint=f"Correct the cause and run this again{again}; changed rows are not changed twice.",
        )

    def _away(self) -> Exception:
        """Return ServerAway to resume on a new connection, or the error of the lost connection."""
        lost = self.run.lost(
            f"{self.label} is at {self._percent()}; its last batch is committed or rolled back."
        )
        # Only after progress: a statement that crashes the server would do so on every retry.
        if self.rows > self.rows_before and all_ended(self.run.second, self.run.session.connection):
            return ServerAway(lost)
        self.run.failed(self.migration, self.journal.direction, lost, 1)
        return lost

    def _begin(self, number: int, left: int | None = None) -> Pass:
        """Begin a pass: record its last page in the journal before the first batch."""
        current, rows_a_page = measured(self.journal, self.change, number, left)
        self.pace = BatchSize(self.batch_rows, rows_a_page)
        self.run.record(self.journal.event("intent", 1, sql=self.change.step.text, detail=current.detail()))
        return current

    def _go_through(self, current: Pass) -> None:
        self.current = current
        self.began, self.pages_before = time.monotonic(), current.done
        while self.current.next < self.current.until:
            self.run.check(self.migration)
            self.standbys.wait()
            try:
                rest_s = self._change_some(self.current)
            except Rewritten:
                self._notice(
                    f"{self.change.table} was rewritten (VACUUM FULL, CLUSTER, TRUNCATE); the pass starts "
                    "again at its first page"
                )
                self.current, self.pages_before = self._begin(current.number, current.left), 0
                continue
            self._report_progress()
            self.run.stop.pause(rest_s)

    def _change_some(self, current: Pass) -> float:
        """Change the rows of the next pages, and return the pause before the next batch, in seconds.

        A batch that times out on a lock is retried with fewer pages.
        """
        patience = Patience()
        while True:
            self.waited_for = False
            until = min(current.next + self.pace.pages, current.until)
            quiet = until < current.until and time.monotonic() - self.noted < NOTE_S
            with self.journal.attempt.yielding(None):
                batch = change_pages(self.journal, self.change, current, until, quiet=quiet)
            if batch.rows is not None:
                break
            self._retry_or_raise(batch, patience)
            self.pace.lock_timeout()
        self.current = replace(current, next=until)
        self.rows, self.batches = self.rows + batch.rows, self.batches + batch.noted
        self.noted = time.monotonic() if batch.noted else self.noted
        self.took_ms, self.lost_ms = self.took_ms + batch.duration_ms, self.lost_ms + patience.lost_ms
        return self.pace.done(until - current.next, batch.rows, batch.duration_ms, self.waited_for)

    def _retry_or_raise(self, batch: Batch, patience: Patience) -> None:
        """Pause before a retry, or raise the error of the batch."""
        subject = f"A batch of {self.label}" if self.rows else ""
        tried = Try(
            self.journal.attempt, [self.migration], self.journal.part, batch.message, batch.reply, subject
        )
        error = tried.error(patience, batch.reply.duration_ms)
        if error is not None:
            raise error

    def _notice(self, message: str, hint: str = "", *, severity: str = "INFO") -> None:
        self.run.observer.notice(self.migration, Notice(severity, f"{self.label}: {message}.", hint=hint))

    def _report_progress(self, phase: str = "") -> None:
        current = self.current
        assert current is not None
        name = "backfill" if current.number == 1 else f"backfill, pass {current.number}"
        phase = phase or f"{name}: {counted(self.rows, 'row')}{self._time_left(current)}"
        self.run.observer.progress(self.migration, Progress(phase, current.done, current.total, "pages"))

    def _time_left(self, current: Pass) -> str:
        spent_s, pages = time.monotonic() - self.began, current.done - self.pages_before
        if spent_s < 1 or pages <= 0:
            return ""
        left_s = spent_s / pages * (current.total - current.done)
        return f", about {left_s:.0f} s left" if left_s < 120 else f", about {left_s / 60:.0f} min left"

    def _percent(self) -> str:
        current = self.current
        return f"{100 * current.done // current.total if current and current.total else 0} %"
