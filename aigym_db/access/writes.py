"""Writes that the access matrix permits, repeated as their actors with triggers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from aigym_db.access.attempts import AttemptStatement
from aigym_db.access.distribution import distribute
from aigym_db.access.fixture import Row, writable
from aigym_db.access.outcomes import AttemptResult
from aigym_db.access.reach import Reach
from aigym_db.access.tables import Table
from aigym_db.access.trial import Trial
from aigym_db.database.migration_session import Connection
from aigym_db.database.queries import query
from aigym_db.model.access import Cell

Changes = Sequence[tuple[str, str, str, int]]
"""Name of the actor, empty for the one that writes; `gains`; what; number."""
_FUNCTIONS = (
    "create_counted_tables",
    "create_count_changes",
    "create_delete_orphans",
    "create_writes",
    "create_run_writes",
)


@dataclass(frozen=True, slots=True)
class Write:
    """One or several statements of an actor, executed together."""

    cell: Cell
    statements: tuple[AttemptStatement, ...]
    column: str = ""
    """The column in which another person is named; empty if the reach is compared."""
    named: str = ""
    """The query that is true if a written row names that person."""


def permitted_writes(
    trial: Trial, reach_: Reach, results: Iterable[AttemptResult]
) -> Mapping[Cell, list[AttemptStatement]]:
    """Return the writes that affected rows, by cell, of actors whose reach can grow."""
    permitted: dict[Cell, list[AttemptStatement]] = {}
    for result in results:
        cell = result.statement.cell
        if result.affected and reach_.identity(trial.matrix.actors[cell.actor]) is not None:
            permitted.setdefault(cell, []).append(result.statement)
    return permitted


def with_value(table: Table, row: Row, column: str, value: str | None) -> Row:
    """Return the row with another value in a column, which must be writable."""
    index = writable(table).index(column)
    return replace(row, values=(*row.values[:index], value, *row.values[index + 1 :]))


def run_writes(
    trial: Trial, reach_: Reach, writes: Sequence[Write]
) -> Iterator[tuple[Write, Changes | None]]:
    """Yield the writes after which the reach was compared, with the gains, and those that name others.

    The gains are None if there are none, and empty for several statements that fail together.
    """
    by_actor: dict[str, list[int]] = {}
    for index, write in enumerate(writes):
        by_actor.setdefault(write.cell.actor, []).append(index)

    def run(connection: Connection, ids: Sequence[int]) -> list[tuple[int, Any]]:
        return connection.execute(query("access/run_writes").encode(), {"writes": ids}).fetchall()

    with ExitStack() as stack:
        for connection in trial.connections:
            stack.enter_context(connection.transaction(force_rollback=True))
            _load(connection, trial, reach_, writes)
        for rows in distribute(trial.connections, by_actor.values(), run):
            for index, changes in rows:
                yield writes[index], changes


def _load(connection: Connection, trial: Trial, reach_: Reach, writes: Sequence[Write]) -> None:
    reach_.create(connection)
    for name in _FUNCTIONS:
        connection.execute(query(f"access/{name}").encode())
    with connection.cursor() as cursor, cursor.copy(query("access/fill_writes").encode()) as copy:
        for index, write in enumerate(writes):
            actor = trial.matrix.actors[write.cell.actor]
            copy.write_row(
                (
                    index,
                    *actor.texts,
                    json.dumps(reach_.identity(actor)),
                    [statement.setup for statement in write.statements if statement.setup],
                    [statement.body for statement in write.statements],
                    write.named or None,
                )
            )
