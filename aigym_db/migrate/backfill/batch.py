"""One transaction of a backfill, and the questions that go with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from aigym_db.database import ledger
from aigym_db.database.queries import query
from aigym_db.errors import ForbiddenStatement
from aigym_db.migrate.backfill.pace import NARROW_ROWS
from aigym_db.migrate.backfill.passes import Pass
from aigym_db.migrate.backfill.statement import Change
from aigym_db.migrate.non_transactional.journal import Journal
from aigym_db.migrate.session.message import Message
from aigym_db.migrate.session.transaction import closing, opening, transact
from aigym_db.migrate.session.wire import Reply
from aigym_db.migrate.step import Step

_NO_TABLES = {"v": "a view", "m": "a materialized view", "f": "a foreign table"}


class Rewritten(Exception):
    """The rows of a table lie elsewhere since the pass began; the batch was rolled back."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of a batch that the server was sent."""

    message: Message
    reply: Reply
    """The last answer; when it was not committed, it says why."""
    rows: int | None = None
    """How many rows it changed; None when it was not committed."""
    noted: bool = False
    """Whether the journal has a line of it."""
    duration_ms: float = 0.0


def change_pages(journal: Journal, change: Change, current: Pass, until: int, *, quiet: bool) -> Batch:
    """Changes the rows of the pages that come next in a pass, up to but not with `until`.

    The journal gets its line in the same transaction; not when `quiet` and there was nothing to change.
    Raises Rewritten, and ForbiddenStatement (AIG-P010) when the condition still holds for a changed row; then
    nothing is kept.
    """
    session = journal.run.session
    message = opening(journal.run, journal.part, durable=True)
    answer = len(message)
    message.add(change.batch(current.next, until))
    message.add("set local role none")
    files = {"tables": list(current.files), "files": list(current.files.values())}
    message.add(_filled(journal, "migrate/backfill_rewritten", files))
    reply = session.send(message)
    if len(reply.results) < len(message):
        return Batch(message, reply)
    rows, again = (int(value) for value in _values(reply.results[answer])[0])
    if again:
        session.send(Message.of("rollback"))
        raise ForbiddenStatement(
            f"The condition still holds for {again:,} of {rows:,} rows that were changed, so they could be "
            "changed twice; this batch was rolled back.",
            place=change.place_of_condition(),
            hint="Add to the condition what the change makes untrue, as in `where total_cents is null`.",
        )
    # Asked only now: what the batch read is locked against being written anew until it commits.
    if _values(reply.results[-1]) == [("t",)]:
        session.send(Message.of("rollback"))
        raise Rewritten
    end_message = Message()
    noted = rows > 0 or not quiet
    if noted:
        detail = {"from": current.next, "until": until, "rows": rows}
        done = journal.event("done", 1, detail=detail, duration_ms=reply.duration_ms)
        end_message.add(ledger.record_text(session.connection, done))
    closing(journal.run, journal.part, end_message)
    end = session.send(end_message)
    if len(end.results) < len(end_message):
        return Batch(end_message, end)
    return Batch(end_message, end, rows, noted, reply.duration_ms + end.duration_ms)


def measured(journal: Journal, change: Change, number: int) -> tuple[Pass, float]:
    """A pass over the tables as they are now, and how many rows one page of each of them holds together.

    Raises ForbiddenStatement (AIG-P010) when one of them has no pages.
    """
    parameters = {"table": change.table, "inherit": not change.only}
    found = _ask(journal, _filled(journal, "migrate/backfill_tables", parameters))
    for _, name, kind, *_ in found:
        if kind in _NO_TABLES:
            raise ForbiddenStatement(
                f"{name} is {_NO_TABLES[kind]}: its rows lie in no pages that could be changed one after the "
                "other.",
                place=change.step.place(),
                hint="Name the table that holds the rows, or remove the option `batch`.",
            )
    tables = [(int(oid), int(file), int(size)) for oid, _, kind, file, size, _ in found if kind != "p"]
    pages = {table: size for table, _, size in tables}
    files = {table: file for table, file, _ in tables}
    rows = sum(float(rows_a_page or NARROW_ROWS) for *_, size, rows_a_page in found if int(size))
    return Pass(number, pages, files), rows or NARROW_ROWS


def anything_left(journal: Journal, change: Change) -> bool:
    """Whether the condition is true of any row of the table, at one moment."""
    return _ask(journal, change.left()) == [("t",)]


def _ask(journal: Journal, question: str | Step) -> list[tuple[Any, ...]]:
    """The answer to a question, asked as the role of the part, and again when it meets a lock."""
    run, part = journal.run, journal.part
    answer = len(opening(run, part, durable=True))

    def build(_: float) -> Message:
        message = opening(run, part, durable=True)
        message.add(question)
        return message

    sent = transact(
        journal.attempt, journal.migration, part, build, what=f"A question of {journal.migration.label}"
    )
    if sent.error is not None:
        raise sent.error
    return _values(sent.reply.results[answer])


def _filled(journal: Journal, name: str, parameters: dict[str, Any]) -> str:
    return psycopg.ClientCursor(journal.run.session.connection).mogrify(query(name), parameters)


def _values(result: Any) -> list[tuple[Any, ...]]:
    """The values of a result as the server wrote them."""

    def text(row: int, column: int) -> str | None:
        value = result.get_value(row, column)
        return None if value is None else value.decode()

    return [tuple(text(row, column) for column in range(result.nfields)) for row in range(result.ntuples)]
