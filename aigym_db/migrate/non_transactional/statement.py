"""A statement that PostgreSQL rejects in a transaction block: its intent event, execution and repair."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg

from aigym_db.database import locks
from aigym_db.errors import AigymError, ConnectionLost, PartiallyApplied
from aigym_db.migrate.non_transactional.journal import Journal
from aigym_db.migrate.non_transactional.probe import Probe, Verdict
from aigym_db.migrate.observer import Notice, Waiting
from aigym_db.migrate.session import failure
from aigym_db.migrate.session.message import Message
from aigym_db.migrate.session.transaction import Patience, Try, timeout_ms
from aigym_db.migrate.session.wire import Reply
from aigym_db.migrate.step import Step
from aigym_db.syntax.quote import quoted
from aigym_db.syntax.transaction_block import rejected_in_block


@dataclass(slots=True)
class NonTransactionalStatement:
    """One statement of a non-transactional file."""

    journal: Journal
    number: int
    step: Step
    probe: Probe
    known: Any = None
    """The catalog facts recorded before it was sent; None until then."""
    repairing: Verdict | None = None
    """The outcome of an earlier try that is being repaired."""

    @property
    def title(self) -> str:
        """The name of the statement at the start of a sentence."""
        return f"Statement {self.number} of {self.journal.migration.label}"

    def repair(self, verdict: Verdict) -> None:
        """Execute the repair statements for an earlier try, and report them and the verdict's warning."""
        if verdict.warning:
            warning = Notice("WARNING", verdict.warning, self.step.place())
            self.journal.run.observer.notice(self.journal.migration, warning)
        if not verdict.repair:
            return
        run, self.repairing = self.journal.run, verdict
        for statement in verdict.repair:
            warning = Notice("WARNING", f"{verdict.note}; repairing with `{statement}`", self.step.place())
            run.observer.notice(self.journal.migration, warning)
            with self._session_settings(waits=True):
                self._execute(statement)
        self.repairing = None

    def send(self, statement: str) -> tuple[float, float]:
        """Execute `statement`: the file's statement, or the one that finishes an interrupted execution of it.

        Return its duration and the time lost to lock timeouts, in milliseconds. An `intent` event is recorded
        before it and a `done` event after it; if the latter is missing, the next run determines the outcome.
        """
        journal, patience = self.journal, Patience()
        run = journal.run
        if "CONCURRENTLY" in (rejected_in_block(self.step.tree) or ""):
            transactions = locks.old_transactions(run.second)
            if transactions:
                run.observer.waiting(Waiting("transactions", 0.0, blockers=transactions))
        while (reply := self._try(statement, patience)) is None:
            verdict = self.probe.verdict(self.known)
            self.repair(verdict)
            statement = verdict.instead or self.step.text
        defect = self.probe.defect(self.known)
        if defect:
            raise PartiallyApplied(
                f"PostgreSQL completed statement {self.number} of {journal.migration.label}, but {defect}.",
                place=self.step.place(),
                hint="Check which session changed it, then run the command again to repeat the statement.",
            )
        took = {"duration_ms": reply.duration_ms, "lock_wait_ms": round(patience.lost_ms, 3)}
        journal.happened(journal.event("done", self.number, sql=self.step.text, **took))
        return reply.duration_ms, patience.lost_ms

    def remains(self, error: AigymError) -> Verdict | None:
        """Return the effects that stay after the statement failed; None if there are none."""
        if self.known is None or self.repairing is not None:
            return self.repairing
        unseen = Verdict("again", note="unknown until the next run reads the catalog")
        if self.probe.opaque:
            return self.probe.verdict(self.known)
        if isinstance(error, ConnectionLost) or not self.journal.run.session.alive():
            return unseen
        try:
            verdict = self.probe.verdict(self.known)
        except psycopg.Error:
            return unseen
        return verdict if verdict.partial else None

    def _try(self, statement: str, patience: Patience) -> Reply | None:
        """Send the statement once; return the reply, or None if it is to be retried after a lock timeout."""
        journal = self.journal
        message = Message.of(self.step if statement == self.step.text else statement)
        known = self.probe.before()
        with self._session_settings(self.probe.waits):
            journal.run.record(journal.event("intent", self.number, sql=self.step.text, detail=known))
            self.known = known
            with journal.attempt.yielding(None):
                reply = journal.run.session.send(message)
            state = reply.failure.sqlstate if reply.failure is not None and not reply.lost else None
            timed_out = state == failure.LOCK_NOT_AVAILABLE and self.probe.repeatable
            if not timed_out and (state != failure.DEADLOCK or self.probe.opaque):
                self._require_done(reply, message)
                return reply
        tried = Try(journal.attempt, [journal.migration], journal.part, message, reply, self.title)
        error = patience.retry(tried, reply.duration_ms)
        if error is not None:
            raise error
        return None

    @contextmanager
    def _session_settings(self, waits: bool) -> Iterator[None]:
        """Set the role and the lock timeout (none if it `waits`) for the duration of the block."""
        run, part = self.journal.run, self.journal.part
        role = run.role(part)
        # A lock timeout in a statement with CONCURRENTLY leaves an INVALID index, so it has none.
        limit_ms = 0 if waits else timeout_ms(run, part)
        try:
            self._execute(f"set lock_timeout = {limit_ms}")
            if role:
                self._execute(f"set role {quoted(role)}")
            yield
        finally:
            # Not with `send`: after a signal it would cancel these statements too.
            with suppress(psycopg.Error):
                run.session.connection.execute("reset role")
                run.session.connection.execute("reset lock_timeout")

    def _execute(self, statement: str) -> None:
        """Execute one of the migrator's own statements; raise its error."""
        message = Message.of(statement)
        self._require_done(self.journal.run.session.send(message), message)

    def _require_done(self, reply: Reply, message: Message) -> None:
        run, migration = self.journal.run, self.journal.migration
        if reply.lost:
            raise run.lost(
                f"The next run determines whether this statement of {migration.label} took effect."
            )
        if reply.failure is None:
            return
        state = reply.failure.sqlstate
        if state == failure.CANCELLED and run.lock_lost():
            raise run.lost(f"It held the runner lock. {self.title} was cancelled.")
        if reply.cancelled and state == failure.CANCELLED:
            raise run.interrupted(migration, f"{migration.label} was cancelled in this statement.")
        error = failure.statement_error(migration, self.journal.part, message, 0, reply.failure)
        raise error.amended(hint=self.probe.hints.get(state or "", error.hint))
