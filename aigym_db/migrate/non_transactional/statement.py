"""A statement that stands alone, outside every transaction: its intent, its run and what is left of it."""

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
    """One statement of a file."""

    journal: Journal
    number: int
    step: Step
    probe: Probe
    known: Any = None
    """What was known of the catalog before it was sent; None while it was not."""
    mending: Verdict | None = None
    """What of an earlier try is being repaired."""

    @property
    def title(self) -> str:
        """What it is called where a sentence begins."""
        return f"Statement {self.number} of {self.journal.migration.label}"

    def mend(self, verdict: Verdict) -> None:
        """Runs what repairs the remains of an earlier try, and says so, and what cannot be repaired."""
        if verdict.warning:
            said = Notice("WARNING", verdict.warning, self.step.place())
            self.journal.run.observer.notice(self.journal.migration, said)
        if not verdict.repair:
            return
        run, self.mending = self.journal.run, verdict
        for statement in verdict.repair:
            said = Notice("WARNING", f"{verdict.note}; repairing with `{statement}`", self.step.place())
            run.observer.notice(self.journal.migration, said)
            with self._acting(waits=True):
                self._order(statement)
        self.mending = None

    def send(self, statement: str) -> tuple[float, float]:
        """Runs it, or what takes its place to finish it; what it took and what was lost to tries that met a
        lock, in milliseconds.

        Between its intent and its done event: one that ends without the second is settled by the next run.
        """
        journal, patience = self.journal, Patience()
        run = journal.run
        if "CONCURRENTLY" in (rejected_in_block(self.step.tree) or ""):
            old = locks.old_transactions(run.second)
            if old:
                run.observer.waiting(Waiting("transactions", 0.0, blockers=old))
        while (reply := self._try(statement, patience)) is None:
            verdict = self.probe.settle(self.known)
            self.mend(verdict)
            statement = verdict.instead or self.step.text
        lacks = self.probe.lacks(self.known)
        if lacks:
            raise PartiallyApplied(
                f"PostgreSQL took statement {self.number} of {journal.migration.label}, and {lacks}.",
                place=self.step.place(),
                hint="Look at what else changed it meanwhile, then run this again: it is built anew.",
            )
        took = {"duration_ms": reply.duration_ms, "lock_wait_ms": round(patience.lost_ms, 3)}
        journal.happened(journal.event("done", self.number, sql=self.step.text, **took))
        return reply.duration_ms, patience.lost_ms

    def left(self, error: AigymError) -> Verdict | None:
        """What the statement left behind when it failed; None when that is nothing."""
        if self.known is None or self.mending is not None:
            return self.mending
        unseen = Verdict("again", note="what the next run finds in the catalog")
        if self.probe.opaque:
            return self.probe.settle(self.known)
        if isinstance(error, ConnectionLost) or not self.journal.run.session.alive():
            return unseen
        try:
            verdict = self.probe.settle(self.known)
        except psycopg.Error:
            return unseen
        return verdict if verdict.half else None

    def _try(self, statement: str, patience: Patience) -> Reply | None:
        """The reply to one try; None when it met somebody else's lock and is worth another."""
        journal = self.journal
        message = Message.of(self.step if statement == self.step.text else statement)
        known = self.probe.before()
        with self._acting(self.probe.waits):
            journal.run.record(journal.event("intent", self.number, sql=self.step.text, detail=known))
            self.known = known
            with journal.attempt.yielding(None):
                reply = journal.run.session.send(message)
            state = reply.failure.sqlstate if reply.failure is not None and not reply.lost else None
            met_a_lock = state == failure.LOCK_NOT_AVAILABLE and self.probe.repeatable
            if not met_a_lock and (state != failure.DEADLOCK or self.probe.opaque):
                self._require_done(reply, message)
                return reply
        tried = Try(journal.attempt, [journal.migration], journal.part, message, reply, self.title)
        error = patience.met(tried, reply.duration_ms)
        if error is not None:
            raise error
        return None

    @contextmanager
    def _acting(self, waits: bool) -> Iterator[None]:
        """The session as a statement alone needs it, and as it was before at the end."""
        run, part = self.journal.run, self.journal.part
        role = run.role(part)
        # A CONCURRENTLY that gives up waiting leaves an INVALID index behind, so it does not give up.
        limit_ms = 0 if waits else timeout_ms(run, part)
        try:
            self._order(f"set lock_timeout = {limit_ms}")
            if role:
                self._order(f"set role {quoted(role)}")
            yield
        finally:
            # Not with `send`: after a signal that would cancel this too.
            with suppress(psycopg.Error):
                run.session.connection.execute("reset role")
                run.session.connection.execute("reset lock_timeout")

    def _order(self, statement: str) -> None:
        """Sends a statement of ours."""
        message = Message.of(statement)
        self._require_done(self.journal.run.session.send(message), message)

    def _require_done(self, reply: Reply, message: Message) -> None:
        run, migration = self.journal.run, self.journal.migration
        if reply.lost:
            raise run.lost(
                f"What became of this statement of {migration.label} is looked up by the next run."
            )
        if reply.failure is None:
            return
        state = reply.failure.sqlstate
        if state == failure.CANCELLED and run.lock_lost():
            raise run.lost(f"It was the one that holds the runner's lock. {self.title} was cancelled.")
        if reply.cancelled and state == failure.CANCELLED:
            raise run.interrupted(migration, f"{migration.label} was cancelled in this statement.")
        error = failure.statement_error(migration, self.journal.part, message, 0, reply.failure)
        raise error.amended(hint=self.probe.hints.get(state or "", error.hint))
