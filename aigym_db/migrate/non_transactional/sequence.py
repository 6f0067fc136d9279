"""A migration outside a transaction: statement by statement, with a journal from which the next run goes on.

A statement that PostgreSQL takes inside a transaction gets one of its own, which also holds its `done` event:
it happened exactly if the journal says so. For the others an `intent` is committed before and a `done` after;
what became of an intent without a done, the catalog tells.
"""

from __future__ import annotations

from dataclasses import replace

import psycopg

from aigym_db.database import ledger
from aigym_db.database.failure import explain_error
from aigym_db.errors import AigymError, ConnectionLost, NameTaken, PartiallyApplied, ServerError
from aigym_db.migrate.non_transactional.journal import Journal, StartedStatement
from aigym_db.migrate.non_transactional.probe import Verdict, may_commit, probe
from aigym_db.migrate.non_transactional.statement import NonTransactionalStatement
from aigym_db.migrate.observer import Finished
from aigym_db.migrate.session.attempt import MigrationAttempt
from aigym_db.migrate.session.message import Message
from aigym_db.migrate.session.migration_run import Run
from aigym_db.migrate.session.session_settings import RESET_ALL
from aigym_db.migrate.session.transaction import Sent, opening, transact
from aigym_db.migrate.step import Step
from aigym_db.model.migration import Direction, Migration, Part
from aigym_db.syntax.transaction_block import rejected_in_block

_ONLY_OUTSIDE = "25001"
"""PostgreSQL takes a statement only outside a transaction, although its words do not show it: REINDEX or
CLUSTER of a partitioned table, ALTER SUBSCRIPTION, ALTER DATABASE … SET TABLESPACE."""


def run_sequence(
    run: Run, migration: Migration, direction: Direction, part: Part, steps: tuple[Step, ...]
) -> None:
    """Run the statements that are not done according to the journal, then record the ledger row.

    Raise PartiallyApplied (AIG-H001) if the file is interrupted between two statements or within one, the
    server's error if nothing of the file was kept, and NameTaken (AIG-T007).
    """
    run.check(migration)
    with MigrationAttempt(run, migration) as attempt:
        run.started(migration)
        run.finish(_run_all(attempt, Journal(attempt, migration, direction, part, steps)))
        run.session.forget_prepared()
        reply = run.session.send(Message.of(run.session_state, RESET_ALL))
        attempt.inspect(reply, 0, migration, part)


def _run_all(attempt: MigrationAttempt, journal: Journal) -> Finished:
    """Run the statements that are not done and record the ledger row."""
    run, migration, steps = attempt.run, journal.migration, journal.steps
    known = journal.read()
    resumed_at = known.next if known.next > 1 or known.begun else None
    took_ms = lost_ms = 0.0
    attempt.keep(_kept(migration, known.next - 1))
    for number, step in enumerate(steps[known.next - 1 :], start=known.next):
        run.check(migration)
        run.observer.statement(migration, number, len(steps))
        alone = NonTransactionalStatement(
            journal, number, step, probe(run.session.connection, step.tree, step.text)
        )
        try:
            spent = _run(alone, known.begun if number == known.next else None)
        except (AigymError, psycopg.Error) as error:
            error = error if isinstance(error, AigymError) else _explained(alone, error)
            # PartiallyApplied here means that nothing was sent, so it is no outcome of the statement.
            if not isinstance(error, PartiallyApplied):
                run.failed(migration, journal.direction, error, number)
            raise _partially_applied(alone, error) from None
        took_ms, lost_ms = took_ms + spent[0], lost_ms + spent[1]
        attempt.keep(_kept(migration, number))
    journal.happened(journal.outcome(lost_ms, duration_ms=round(took_ms, 3)))
    attempt.keep("")
    return Finished(migration, took_ms, lost_ms, resumed_at)


def _kept(migration: Migration, done: int) -> str:
    """The statements that stay committed, in words."""
    several = f"statements 1 to {done} of {migration.label}, which stay"
    return several if done > 1 else f"statement 1 of {migration.label}, which stays" if done else ""


def _run(alone: NonTransactionalStatement, begun: StartedStatement | None) -> tuple[float, float]:
    """Runs one statement; what it took and what was lost waiting, in milliseconds."""
    statement = alone.step.text
    if begun is not None:
        verdict = _settled(alone, begun)
        alone.mend(verdict)
        if verdict.outcome == "done":
            return _already(alone, verdict)
        statement = verdict.instead or statement
    verdict = alone.probe.ready()
    _require_free(alone, verdict)
    alone.mend(verdict)
    if verdict.outcome == "done":
        return _already(alone, verdict)
    if rejected_in_block(alone.step.tree) is None and not may_commit(alone.step.tree):
        sent = _in_its_own_transaction(alone)
        if sent.error is None:
            return sent.reply.duration_ms, sent.lost_ms
        if sent.reply.failure is None or sent.reply.failure.sqlstate != _ONLY_OUTSIDE:
            raise sent.error
    return alone.send(statement)


def _already(alone: NonTransactionalStatement, verdict: Verdict) -> tuple[float, float]:
    """Writes down that a statement is done without having run it now."""
    journal, detail = alone.journal, {"settled": verdict.note}
    journal.happened(journal.event("done", alone.number, sql=alone.step.text, detail=detail))
    return 0.0, 0.0


def _in_its_own_transaction(alone: NonTransactionalStatement) -> Sent:
    journal = alone.journal

    def build(lost_ms: float) -> Message:
        message = opening(journal.run, journal.part, durable=True)
        message.add(alone.step)
        message.add("set local role none")
        done = journal.event("done", alone.number, sql=alone.step.text, lock_wait_ms=round(lost_ms, 3))
        message.add(ledger.record_text(journal.run.session.connection, done))
        return message

    return transact(journal.attempt, journal.migration, journal.part, build, what=alone.title)


def _settled(alone: NonTransactionalStatement, begun: StartedStatement) -> Verdict:
    """What to do about a statement that an earlier run began."""
    journal, step = alone.journal, alone.step
    verdict = probe(journal.run.session.connection, begun.tree, begun.sql).settle(begun.detail)
    _require_free(alone, verdict)
    if verdict.outcome == "unknown":
        resolve = journal.run.options.resolve
        if resolve is None:
            command = "migrate" if journal.direction == "up" else "rollback"
            raise PartiallyApplied(
                f"{journal.migration.label} was cut short in statement {alone.number} of "
                f"{len(journal.steps)}, and the catalog cannot tell whether it happened.",
                place=step.place(),
                detail=f"It was: {begun.sql}",
                hint=f"{verdict.hint} Then run `aigym-db {command} --resolve done` if it happened, or "
                f"`aigym-db {command} --resolve again` to run it once more from its beginning.",
            )
        verdict = Verdict(resolve, note="a person found out")
    if begun.sql == step.text:
        return verdict
    if verdict.outcome == "done" or (verdict.half and not verdict.repair):
        raise PartiallyApplied(
            f"Statement {alone.number} of {journal.migration.label} has been run already, with another text: "
            f"{verdict.note}.",
            place=step.place(),
            detail=f"It was: {begun.sql}",
            hint=verdict.hint
            or "Restore that statement as it was; only statements that did not run yet may still change.",
        )
    return replace(verdict, instead=None)


def _require_free(alone: NonTransactionalStatement, verdict: Verdict) -> None:
    """Raise PartiallyApplied (AIG-H001) if another session builds the object, NameTaken (AIG-T007) if another
    object has its name."""
    if verdict.outcome in ("elsewhere", "taken"):
        raise (PartiallyApplied if verdict.outcome == "elsewhere" else NameTaken)(
            f"{alone.journal.migration.label} cannot go on: {verdict.note}.",
            place=alone.step.place(),
            hint=verdict.hint,
        )


def _partially_applied(alone: NonTransactionalStatement, error: AigymError) -> AigymError:
    """Return the error unchanged if nothing was kept or the run was stopped, else PartiallyApplied."""
    left = alone.left(error)
    if left is not None:
        what = f"{left.note}{'; the next run puts that right' if left.half else ''}"
        detail = "\n".join(filter(None, (error.detail, f"Left behind: {what}.")))
        error = error.amended(detail=detail)
    kept = alone.number > 1 or left is not None
    if not kept or not isinstance(error, ServerError | NameTaken):
        return error
    if alone.probe.opaque and left is not None:
        hint = f"Look at how far it came, then run this again; it asks about statement {alone.number}."
    elif isinstance(error, ConnectionLost):
        hint = error.hint
    else:
        hint = f"{error.hint or 'Correct the cause.'} A new run goes on at statement {alone.number}."
        journal = alone.journal
        if journal.migration.version in (journal.run.options.frozen or ()):
            hint += " A frozen file may still change as `aigym-db explain AIG-H001` says."
    return PartiallyApplied(
        f"{error.message.rstrip('.')}. This was statement {alone.number} of {len(alone.journal.steps)}, "
        "outside a transaction.",
        place=error.place or alone.step.place(),
        detail=error.detail,
        hint=hint,
    )


def _explained(alone: NonTransactionalStatement, error: psycopg.Error) -> AigymError:
    return explain_error(error, place=alone.step.place(), doing=alone.journal.migration.label)
