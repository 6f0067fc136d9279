"""A migration that is one transaction: sent as one message, ledger row and COMMIT included."""

from __future__ import annotations

from aigym_db.database import ledger
from aigym_db.migrate.leftovers import may_leave_anything, require_nothing_left
from aigym_db.migrate.message import Message
from aigym_db.migrate.observer import Finished
from aigym_db.migrate.preflight import Step
from aigym_db.migrate.run import Run
from aigym_db.migrate.transaction import opening, transact
from aigym_db.model.migration import Direction, Migration, Part

TICKS = 99
"""How many moments inside a migration are noted at most, because a function takes no more than 100 arguments;
of more statements, every so many."""

_TICK = "select pg_catalog.set_config('aigym_db.tick{}', pg_catalog.clock_timestamp()::text, true)"
# Both functions by their schema: a file may have set a search_path of its own.
_TICKED = "pg_catalog.current_setting('aigym_db.tick{}')::timestamptz"
_NOW = "pg_catalog.clock_timestamp()"
_SINCE = (
    "pg_catalog.round(pg_catalog.date_part('epoch', {} - pg_catalog.transaction_timestamp()) * "
    "1000000) / 1000"
)


def run_inside(
    run: Run,
    migration: Migration,
    direction: Direction,
    part: Part,
    steps: tuple[Step, ...],
    *,
    durable: bool,
) -> None:
    """Runs a migration and its ledger row, or nothing of either.

    `durable` False lets the commit return before the disk has it: for every migration of a run but the last,
    because a later flush makes all before it durable and a crash can only lose the end of the line, ledger
    rows included.
    """
    run.check(migration)
    sent = transact(
        run,
        migration,
        part,
        lambda lost_ms: _message(run, migration, direction, part, steps, durable, lost_ms),
        thorough=durable or any(may_leave_anything(step) for step in steps),
    )
    if sent.refusal is not None:
        run.failed(migration, direction, sent.refusal, None)
        raise sent.refusal
    run.tell(Finished(migration, sent.reply.duration_ms, sent.lost_ms))
    require_nothing_left(run, migration, part)


def _message(
    run: Run,
    migration: Migration,
    direction: Direction,
    part: Part,
    steps: tuple[Step, ...],
    durable: bool,
    lost_ms: float,
) -> Message:
    message = opening(run, part, durable=durable)
    stride = -(-len(steps) // TICKS) or 1
    moments = []
    for number, step in enumerate(steps, start=1):
        message.add(step)
        if number % stride == 0 and number < len(steps):
            message.add(_TICK.format(number))
            moments.append(_SINCE.format(_TICKED.format(number)))
    moments.append(_SINCE.format(_NOW))
    event = ledger.Event(
        "apply" if direction == "up" else "revert",
        migration.version,
        migration.name,
        ledger.checksum(migration),
        direction,
        sql=part.source.text,
        lock_wait_ms=round(lost_ms, 3),
        git_commit=run.options.git_commit,
    )
    message.add("set local role none")
    message.add(
        ledger.record_text(
            run.session.connection, event, duration_sql=f"pg_catalog.jsonb_build_array({', '.join(moments)})"
        )
    )
    return message
