"""A migration that is one transaction: sent as one message, ledger row and COMMIT included."""

from __future__ import annotations

from dataclasses import dataclass

from aigym_db.database import ledger
from aigym_db.migrate.leftovers import may_leave_anything, require_nothing_left
from aigym_db.migrate.message import Message
from aigym_db.migrate.observer import Finished
from aigym_db.migrate.preflight import Step
from aigym_db.migrate.run import Run
from aigym_db.migrate.transaction import Patience, opening, transact
from aigym_db.model.migration import Direction, Migration, Part

TICKS = 98
"""How many moments inside a migration are noted at most, because a function takes no more than 100 arguments;
of more statements, every so many."""

_TICK = "select pg_catalog.set_config('aigym_db.tick{}', pg_catalog.clock_timestamp()::text, true)"
# Every function by its schema: a file may have set a search_path of its own. Not transaction_timestamp():
# all transactions of one message began when the message came.
_TICKED = "pg_catalog.current_setting('aigym_db.tick{}')::timestamptz"
_SINCE = f"pg_catalog.round(pg_catalog.date_part('epoch', {{}} - {_TICKED.format(0)}) * 1000000) / 1000"
_SINCE_NOW = _SINCE.format("pg_catalog.clock_timestamp()")
_TAKE = f"select pg_catalog.set_config('aigym_db.took', ({_SINCE_NOW})::text, true)"
_TOOK = "pg_catalog.current_setting('aigym_db.took')::pg_catalog.float8"


@dataclass(frozen=True, slots=True)
class Transaction:
    """A migration that is to run as one transaction."""

    migration: Migration
    direction: Direction
    part: Part
    steps: tuple[Step, ...]
    durable: bool
    """Whether its commit waits for the disk. Not for every migration of a run but the last: a later flush
    makes all before it durable, and a crash can only lose the end of the line, ledger rows included."""
    defines: bool
    """Whether every statement only defines something."""

    @classmethod
    def of(
        cls, migration: Migration, direction: Direction, part: Part, steps: tuple[Step, ...], durable: bool
    ) -> Transaction:
        """The transaction of a part."""
        defines = not any(may_leave_anything(step) for step in steps)
        return cls(migration, direction, part, steps, durable, defines)

    @property
    def thorough(self) -> bool:
        """Whether what it left behind is asked for with everything that is slow to ask."""
        return self.durable or not self.defines


def run_inside(run: Run, transaction: Transaction, patience: Patience | None = None) -> None:
    """Runs a migration and its ledger row, or nothing of either.

    `patience` is what a message with others left of it: then this one has been begun already.
    """
    migration, part = transaction.migration, transaction.part

    def build(lost_ms: float) -> Message:
        message = Message()
        add(run, message, transaction, lost_ms)
        return message

    run.check(migration)
    if patience is None:
        run.observer.started(migration)
    run.session.hear = lambda notice, _: run.observer.notice(migration, notice)
    sent = transact(
        run,
        migration,
        part,
        build,
        thorough=transaction.thorough,
        patience=patience,
    )
    if sent.refusal is not None:
        run.failed(migration, transaction.direction, sent.refusal, None)
        raise sent.refusal
    run.tell(Finished(migration, sent.reply.duration_ms, sent.lost_ms))
    require_nothing_left(run, migration, part)


def add(run: Run, message: Message, transaction: Transaction, lost_ms: float = 0.0) -> int:
    """Adds a transaction and its ledger row, up to the COMMIT.

    Returns the number of the result that will say what the migration took, in milliseconds.
    """
    steps, migration = transaction.steps, transaction.migration
    opening(run, transaction.part, durable=transaction.durable, message=message)
    message.add(_TICK.format(0))
    stride = -(-len(steps) // TICKS) or 1
    moments = []
    for number, step in enumerate(steps, start=1):
        message.add(step)
        if number % stride == 0 and number < len(steps):
            message.add(_TICK.format(number))
            moments.append(_SINCE.format(_TICKED.format(number)))
    message.add(_TAKE)
    took = len(message) - 1
    moments.append(_TOOK)
    event = ledger.Event(
        "apply" if transaction.direction == "up" else "revert",
        migration.version,
        migration.name,
        ledger.checksum(migration),
        transaction.direction,
        sql=transaction.part.source.text,
        lock_wait_ms=round(lost_ms, 3),
        git_commit=run.options.git_commit,
    )
    message.add("set local role none")
    message.add(
        ledger.record_text(
            run.session.connection, event, duration_sql=f"pg_catalog.jsonb_build_array({', '.join(moments)})"
        )
    )
    return took
