"""One batch of a backfill, and the queries about its tables and its remaining rows."""

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
    """Raised if a table was rewritten since the pass began; the batch is rolled back."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The outcome of a batch."""

    message: Message
    reply: Reply
    """The last reply; it contains the error if the batch was not committed."""
    rows: int | None = None
    """Number of changed rows; None if the batch was not committed."""
    noted: bool = False
    """True if the batch wrote a journal entry."""
    duration_ms: float = 0.0


def change_pages(journal: Journal, change: Change, current: Pass, until: int, *, quiet: bool) -> Batch:
    """Change the matching rows of the next pages of a pass, before page `until`.

    Write the journal entry in the same transaction, unless `quiet` and no row matched. Raise Rewritten if a
    table was rewritten, ForbiddenStatement (AIG-P010) if a changed row still matches the condition; in both
    cases the batch is rolled back.
    """
    session = journal.run.session
    message = opening(journal.run, journal.part, durable=True)
    change_result = len(message)
    message.add(change.batch(current.next, until))
    message.add("set local role none")
    files = {"tables": list(current.files), "files": list(current.files.values())}
    message.add(_filled(journal, "migrate/backfill_rewritten", files))
    reply = session.send(message)
    if len(reply.results) < len(message):
        return Batch(message, reply)
    rows, again = (int(value) for value in _values(reply.results[change_result])[0])
    if again:
        session.send(Message.of("rollback"))
        raise ForbiddenStatement(
            f"The condition still holds for {again:,} of {rows:,} rows that were changed, so they could be "
            "changed twice; this batch was rolled back.",
            place=change.place_of_condition(),
            hint="Add to the condition what the change makes untrue, as in `where total_cents is null`.",
        )
    # Checked after the change: its table lock excludes a rewrite until the commit.
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


def measured(journal: Journal, change: Change, number: int, left: int | None = None) -> tuple[Pass, float]:
    """Return a pass over the present pages, and the rows per page, summed over all tables.

    `left` is the number of rows that the pass before did not change; None for the first pass.

    Raise ForbiddenStatement (AIG-P010) if the relation is a view, a materialized view or a foreign table.
    """
    parameters = {"table": change.table, "inherit": not change.only}
    relations = _rows(journal, _filled(journal, "migrate/backfill_tables", parameters))
    for _, name, kind, *_ in relations:
        if kind in _NO_TABLES:
            raise ForbiddenStatement(
                f"{name} is {_NO_TABLES[kind]}: a backfill processes the pages of a table.",
                place=change.step.place(),
                hint="Name the table that holds the rows, or remove the option `batch`.",
            )
    tables = [(int(oid), int(file), int(size)) for oid, _, kind, file, size, _ in relations if kind != "p"]
    pages = {table: size for table, _, size in tables}
    files = {table: file for table, file, _ in tables}
    rows = sum(float(rows_a_page or NARROW_ROWS) for *_, size, rows_a_page in relations if int(size))
    return Pass(number, pages, files, left), rows or NARROW_ROWS


def rows_left(journal: Journal, change: Change) -> int:
    """Return the number of rows of the table that match the condition, in one snapshot."""
    return int(_rows(journal, change.remaining())[0][0])


def _rows(journal: Journal, statement: str | Step) -> list[tuple[Any, ...]]:
    """Return the rows of a query that runs under the role of the part; retry after a lock timeout."""
    run, part = journal.run, journal.part
    result = len(opening(run, part, durable=True))

    def build(_: float) -> Message:
        message = opening(run, part, durable=True)
        message.add(statement)
        return message

    sent = transact(
        journal.attempt, journal.migration, part, build, subject=f"A query of {journal.migration.label}"
    )
    if sent.error is not None:
        raise sent.error
    return _values(sent.reply.results[result])


def _filled(journal: Journal, name: str, parameters: dict[str, Any]) -> str:
    return psycopg.ClientCursor(journal.run.session.connection).mogrify(query(name), parameters)


def _values(result: Any) -> list[tuple[Any, ...]]:
    """Return the values of a result in the server's text format."""

    def text(row: int, column: int) -> str | None:
        value = result.get_value(row, column)
        return None if value is None else value.decode()

    return [tuple(text(row, column) for column in range(result.nfields)) for row in range(result.ntuples)]
