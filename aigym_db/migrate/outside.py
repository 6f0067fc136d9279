"""A migration outside a transaction: statement by statement, with a journal from which the next run goes on.

A statement that PostgreSQL takes inside a transaction gets one of its own, which also holds its `done` event:
it happened exactly if the journal says so. For the others an `intent` is committed before and a `done` after;
what became of an intent without a done, the catalog tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aigym_db.database import ledger, locks
from aigym_db.errors import AigymError, Halfway, Interrupted, ServerError
from aigym_db.migrate import failure, probe
from aigym_db.migrate.journal import Progress, progress
from aigym_db.migrate.leftovers import require_nothing_left
from aigym_db.migrate.message import Message
from aigym_db.migrate.observer import Finished, Waiting
from aigym_db.migrate.preflight import Step, only_outside
from aigym_db.migrate.quoting import quoted
from aigym_db.migrate.run import Run
from aigym_db.migrate.session import Reply
from aigym_db.migrate.transaction import opening, transact
from aigym_db.model.migration import Direction, Migration, Part

_MAY_COMMIT = {"DoStmt", "CallStmt"}
"""These may end transactions themselves, and then cannot be put into one."""


_NOTHING: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _File:
    """What is being run."""

    run: Run
    migration: Migration
    direction: Direction
    part: Part
    steps: tuple[Step, ...]

    def event(self, kind: ledger.Kind, number: int | None = None, **more: Any) -> ledger.Event:
        return ledger.Event(
            kind,
            self.migration.version,
            self.migration.name,
            ledger.checksum(self.migration),
            self.direction,
            number,
            git_commit=self.run.options.git_commit,
            **more,
        )


def run_outside(
    run: Run, migration: Migration, direction: Direction, part: Part, steps: tuple[Step, ...]
) -> None:
    """Runs the statements that the journal does not have as done, then writes the ledger row.

    Raises Halfway (AIG-H001) when it ends between two statements, what PostgreSQL refused when nothing was
    done yet.
    """
    file = _File(run, migration, direction, part, steps)
    run.session.hear = lambda notice, _: run.observer.notice(migration, notice)
    run.observer.started(migration)
    known = progress(ledger.journal(run.second, migration.version, direction), steps, migration)
    resumed_at = known.next if known.next > 1 or known.touched else None
    took_ms = lost_ms = 0.0
    for number, step in enumerate(steps[known.next - 1 :], start=known.next):
        run.check(migration)
        run.observer.statement(migration, number, len(steps))
        try:
            spent = _run(file, number, step, known if number == known.next else None)
        except AigymError as refusal:
            # Halfway here means that nothing was sent, so it says nothing of how the statement ended.
            if not isinstance(refusal, Halfway):
                run.failed(migration, direction, refusal, number)
            raise _halfway(file, number, refusal) from None
        took_ms, lost_ms = took_ms + spent[0], lost_ms + spent[1]
    text = part.source.text
    kind: ledger.Kind = "apply" if direction == "up" else "revert"
    run.event(file.event(kind, sql=text, duration_ms=round(took_ms, 3), lock_wait_ms=round(lost_ms, 3)))
    run.tell(Finished(migration, took_ms, lost_ms, resumed_at))
    run.left = _left(run)
    require_nothing_left(run, migration, part)


def _run(file: _File, number: int, step: Step, known: Progress | None) -> tuple[float, float]:
    """Runs one statement; what it took and what was lost waiting, in milliseconds."""
    if only_outside(step.tree) is None and type(step.tree).__name__ not in _MAY_COMMIT:
        return _in_its_own_transaction(file, number, step)
    statement, repair = step.text, _NOTHING
    if known is not None and known.touched:
        verdict = _settled(file, number, step, known)
        if verdict.outcome == "done":
            file.run.event(file.event("done", number, sql=step.text, detail={"settled": verdict.note}))
            return 0.0, 0.0
        statement, repair = verdict.instead or step.text, verdict.repair
    else:
        invalid = probe.unusable(file.run.session.connection, step.tree)
        if invalid is not None:
            _require_nobody_else(file, step, invalid)
            repair = invalid.repair
    return _alone(file, number, step, statement, repair), 0.0


def _in_its_own_transaction(file: _File, number: int, step: Step) -> tuple[float, float]:
    def build(lost_ms: float) -> Message:
        message = opening(file.run, file.part, durable=True)
        message.add(step)
        message.add("set local role none")
        done = file.event("done", number, sql=step.text, lock_wait_ms=round(lost_ms, 3))
        message.add(ledger.record_text(file.run.session.connection, done))
        return message

    sent = transact(file.run, file.migration, file.part, build)
    if sent.refusal is not None:
        raise sent.refusal
    return sent.reply.duration_ms, sent.lost_ms


def _alone(file: _File, number: int, step: Step, statement: str, repair: tuple[str, ...]) -> float:
    """Sends a statement that must stand alone, between its intent and its done."""
    run, tree = file.run, step.tree
    concurrently = _concurrent(tree)
    if concurrently:
        old = locks.old_transactions(run.second)
        if old:
            run.observer.waiting(Waiting("transactions", 0.0, blockers=old))
    role = run.role(file.part)
    # A CONCURRENTLY that gives up waiting leaves an INVALID index behind, so it does not give up.
    for setting in (["set lock_timeout = 0"] if concurrently else []) + (
        [f"set role {quoted(role)}"] if role else []
    ):
        _require_done(file, step, run.session.send(_single(setting)), Message())
    try:
        for mending in repair:
            _require_done(file, step, run.session.send(_single(mending)), Message())
        run.event(
            file.event("intent", number, sql=step.text, detail=probe.before(run.session.connection, tree))
        )
        message = _single(step if statement == step.text else statement)
        reply = run.session.send(message)
        _require_done(file, step, reply, message)
    finally:
        if run.session.alive():
            for setting in ("reset role", "reset lock_timeout"):
                run.session.send(_single(setting))
    run.event(file.event("done", number, sql=step.text, duration_ms=reply.duration_ms))
    return reply.duration_ms


def _settled(file: _File, number: int, step: Step, known: Progress) -> probe.Verdict:
    """What to do about a statement that an earlier run began."""
    assert known.begun is not None
    tree = known.begun.tree
    verdict = probe.settle(file.run.session.connection, tree, known.begun.detail, failed=known.open is None)
    _require_nobody_else(file, step, verdict)
    if verdict.outcome == "unknown":
        resolve = file.run.options.resolve
        if resolve is None:
            raise Halfway(
                f"{file.migration.label} was cut short in statement {number} of {len(file.steps)}, and the "
                "catalog "
                "cannot tell whether it happened.",
                place=step.place(),
                hint="Find out, then run `aigym-db migrate --resolve done` if it did, or `--resolve again` "
                "if not.",
            )
        verdict = probe.Verdict(resolve, note="a person found out")
    if known.begun.sql != step.text:
        if verdict.outcome == "done":
            raise _changed(file, number, step)
        return probe.Verdict(verdict.outcome, verdict.repair, verdict.note)
    return verdict


def _require_nobody_else(file: _File, step: Step, verdict: probe.Verdict) -> None:
    if verdict.outcome == "elsewhere":
        raise Halfway(
            f"{file.migration.label} cannot go on: {verdict.note}.",
            place=step.place(),
            hint="Wait for that session to finish, or end it, then run this again.",
        )


def _changed(file: _File, number: int, step: Step) -> Halfway:
    return Halfway(
        f"Statement {number} of {file.migration.label} has been run already, with another text.",
        place=step.place(),
        hint="Restore that statement as it was; only statements that did not run yet may still change.",
    )


def _require_done(file: _File, step: Step, reply: Reply, message: Message) -> None:
    if reply.lost:
        raise file.run.lost(
            f"What became of this statement of {file.migration.label} is looked up by the next run."
        )
    if reply.failure is None:
        return
    if reply.cancelled and reply.failure.sqlstate == failure.CANCELLED:
        raise file.run.interrupted(file.migration, f"{file.migration.label} was cancelled in this statement.")
    raise failure.refused(file.migration, file.part, message, 0, reply.failure)


def _halfway(file: _File, number: int, refusal: AigymError) -> AigymError:
    """The refusal as it is when nothing was kept or a person said stop, else Halfway."""
    if isinstance(refusal, Halfway | Interrupted):
        return refusal
    step = file.steps[number - 1]
    kept = number > 1 or type(step.tree).__name__ in _MAY_COMMIT or _concurrent(step.tree)
    if not kept or not isinstance(refusal, ServerError):
        return refusal
    return Halfway(
        f"{refusal.message.rstrip('.')}. This was statement {number} of {len(file.steps)}, outside a "
        "transaction.",
        place=refusal.place or step.place(),
        detail=refusal.detail,
        hint=f"Correct the cause and run this again; it goes on at statement {number}.",
    )


def _left(run: Run) -> str:
    reply = run.session.send(_single(run.leftovers))
    return (reply.results[0].get_value(0, 0) or b"").decode() if reply.results else ""


def _concurrent(tree: Any) -> bool:
    return "CONCURRENTLY" in (only_outside(tree) or "")


def _single(statement: str | Step) -> Message:
    message = Message()
    message.add(statement)
    return message
