"""A non-transactional migration: statements run one by one, with a journal from which an interrupted run
resumes.

A statement that PostgreSQL accepts in a transaction block runs in its own transaction together with its
`done` event, so the journal is exact. For any other statement an `intent` event is committed before it and a
`done` event after it. The outcome of an intent without a done event is determined from the catalog.
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
"""The SQLSTATE of a statement that PostgreSQL rejects in a transaction block, although its text does not show
it: REINDEX or CLUSTER of a partitioned table, ALTER SUBSCRIPTION, ALTER DATABASE … SET TABLESPACE."""


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
    earlier = journal.read()
    resumed_at = earlier.next if earlier.next > 1 or earlier.started else None
    took_ms = lost_ms = 0.0
    attempt.keep(_kept(migration, earlier.next - 1))
    for number, step in enumerate(steps[earlier.next - 1 :], start=earlier.next):
        run.check(migration)
        run.observer.statement(migration, number, len(steps))
        statement = NonTransactionalStatement(
            journal, number, step, probe(run.session.connection, step.tree, step.text)
        )
        try:
            spent = _run(statement, earlier.started if number == earlier.next else None)
        except (AigymError, psycopg.Error) as error:
            error = error if isinstance(error, AigymError) else _explained(statement, error)
            # PartiallyApplied here means that nothing was sent: the statement has not failed.
            if not isinstance(error, PartiallyApplied):
                run.failed(migration, journal.direction, error, number)
            raise _partially_applied(statement, error) from None
        took_ms, lost_ms = took_ms + spent[0], lost_ms + spent[1]
        attempt.keep(_kept(migration, number))
    journal.happened(journal.outcome(lost_ms, duration_ms=round(took_ms, 3)))
    attempt.keep("")
    return Finished(migration, took_ms, lost_ms, resumed_at)


def _kept(migration: Migration, done: int) -> str:
    """Return a description of the statements that stay committed."""
    several = f"statements 1 to {done} of {migration.label}, which stay"
    return several if done > 1 else f"statement 1 of {migration.label}, which stays" if done else ""


def _run(statement: NonTransactionalStatement, started: StartedStatement | None) -> tuple[float, float]:
    """Run one statement; return its duration and the time lost to lock timeouts, in milliseconds."""
    text = statement.step.text
    if started is not None:
        verdict = _outcome(statement, started)
        statement.repair(verdict)
        if verdict.outcome == "done":
            return _record_done(statement, verdict)
        text = verdict.instead or text
    verdict = statement.probe.ready()
    _require_free(statement, verdict)
    statement.repair(verdict)
    if verdict.outcome == "done":
        return _record_done(statement, verdict)
    if rejected_in_block(statement.step.tree) is None and not may_commit(statement.step.tree):
        sent = _run_in_transaction(statement)
        if sent.error is None:
            return sent.reply.duration_ms, sent.lost_ms
        if sent.reply.failure is None or sent.reply.failure.sqlstate != _ONLY_OUTSIDE:
            raise sent.error
    return statement.send(text)


def _record_done(statement: NonTransactionalStatement, verdict: Verdict) -> tuple[float, float]:
    """Record that a statement is done without running it, with the reason."""
    journal, detail = statement.journal, {"verdict": verdict.note}
    journal.happened(journal.event("done", statement.number, sql=statement.step.text, detail=detail))
    return 0.0, 0.0


def _run_in_transaction(statement: NonTransactionalStatement) -> Sent:
    """Run a statement and its `done` event in one transaction."""
    journal, step = statement.journal, statement.step

    def build(lost_ms: float) -> Message:
        message = opening(journal.run, journal.part, durable=True)
        message.add(step)
        message.add("set local role none")
        done = journal.event("done", statement.number, sql=step.text, lock_wait_ms=round(lost_ms, 3))
        message.add(ledger.record_text(journal.run.session.connection, done))
        return message

    return transact(journal.attempt, journal.migration, journal.part, build, subject=statement.title)


def _outcome(statement: NonTransactionalStatement, started: StartedStatement) -> Verdict:
    """Return the outcome of a statement that an interrupted run sent.

    Raise PartiallyApplied (AIG-H001) if the catalog does not show it and there is no `--resolve` option, or
    if the statement has taken effect and its text in the file has changed.
    """
    journal, step = statement.journal, statement.step
    verdict = probe(journal.run.session.connection, started.tree, started.sql).verdict(started.detail)
    _require_free(statement, verdict)
    if verdict.outcome == "unknown":
        resolve = journal.run.options.resolve
        if resolve is None:
            command = "migrate" if journal.direction == "up" else "rollback"
            raise PartiallyApplied(
                f"{journal.migration.label} was interrupted in statement {statement.number} of "
                f"{len(journal.steps)}, and the catalog does not show whether the statement took effect.",
                place=step.place(),
                detail=f"It was: {started.sql}",
                hint=f"{verdict.hint} Then run `aigym-db {command} --resolve done` if it took effect, or "
                f"`aigym-db {command} --resolve again` to run it again from its beginning.",
            )
        verdict = Verdict(resolve, note="resolved manually")
    if started.sql == step.text:
        return verdict
    if verdict.outcome == "done" or (verdict.partial and not verdict.repair):
        raise PartiallyApplied(
            f"Statement {statement.number} of {journal.migration.label} has already been run, with another "
            f"text: {verdict.note}.",
            place=step.place(),
            detail=f"It was: {started.sql}",
            hint=verdict.hint or "Restore that statement; only statements that have not been run may change.",
        )
    return replace(verdict, instead=None)


def _require_free(statement: NonTransactionalStatement, verdict: Verdict) -> None:
    """Raise PartiallyApplied (AIG-H001) if another session builds the object, NameTaken (AIG-T007) if another
    object has its name."""
    if verdict.outcome in ("running", "taken"):
        raise (PartiallyApplied if verdict.outcome == "running" else NameTaken)(
            f"{statement.journal.migration.label} cannot continue: {verdict.note}.",
            place=statement.step.place(),
            hint=verdict.hint,
        )


def _partially_applied(statement: NonTransactionalStatement, error: AigymError) -> AigymError:
    """Return PartiallyApplied (AIG-H001) in place of an error after which a part of the migration stays.

    Return the error itself if nothing stays, or if the run was stopped.
    """
    number, remains = statement.number, statement.remains(error)
    if remains is not None:
        note = f"{remains.note}{'; the next run repairs this' if remains.partial else ''}"
        error = error.amended(added_detail=f"Remaining effect: {note}.")
    kept = number > 1 or remains is not None
    if not kept or not isinstance(error, ServerError | NameTaken):
        return error
    if statement.probe.opaque and remains is not None:
        hint = f"Check how much of statement {number} took effect, then run the command with `--resolve`."
    elif isinstance(error, ConnectionLost):
        hint = error.hint
    else:
        hint = f"{error.hint or 'Correct the cause.'} The next run resumes at statement {number}."
        journal = statement.journal
        if journal.migration.version in (journal.run.options.frozen or ()):
            hint += (
                " A frozen file may be changed within the limits that `aigym-db explain AIG-H001` describes."
            )
    return PartiallyApplied(
        f"{error.message.rstrip('.')}. This was statement {number} of {len(statement.journal.steps)} of a "
        "non-transactional file.",
        place=error.place or statement.step.place(),
        detail=error.detail,
        hint=hint,
    )


def _explained(statement: NonTransactionalStatement, error: psycopg.Error) -> AigymError:
    return explain_error(error, place=statement.step.place(), doing=statement.journal.migration.label)
