"""Test mutants of functions with the statements of table cells, with triggers enabled."""

from __future__ import annotations

from threading import Lock

import psycopg

from aigym_db.access.attempts import AttemptStatement
from aigym_db.access.call_graph import CallGraph
from aigym_db.access.mutations import Mutation
from aigym_db.access.trial import Trial
from aigym_db.database.migration_session import Connection

_MOST = 400
"""Maximum number of statements per mutant: a trigger that records changes is on every table."""


class TriggerTest:
    """The statements that write and match with triggers; used by several threads."""

    def __init__(self, trial: Trial, graph: CallGraph) -> None:
        self._trial = trial
        self._graph = graph
        self._lock = Lock()
        self._matching: dict[str, tuple[AttemptStatement, ...]] = {}

    def killer(self, connection: Connection, mutation: Mutation) -> tuple[str | None, str | None]:
        """Apply the mutant, execute its statements and roll back; return the killing cell, or the error."""
        statements = self.candidates(connection, mutation.function)
        if not statements:
            return None, None
        with connection.transaction(force_rollback=True):
            try:
                connection.execute(mutation.mutant.ddl.encode())
            except psycopg.Error as error:
                return None, error.diag.message_primary
            for result in self._trial.run_on([item.id for item in statements], connection, triggers=True):
                if result.actual != frozenset(result.statement.expected):
                    return f"{result.statement.cell} with triggers", None
        return None, None

    def candidates(self, connection: Connection, function: int | None) -> tuple[AttemptStatement, ...]:
        """The statements on the tables whose triggers, defaults or constraints execute the function."""
        statements: list[AttemptStatement] = []
        for name in sorted(self._graph.executed_by_writes(function)):
            if len(statements) < _MOST:
                statements += self._of_table(connection, name)
        return tuple(statements[:_MOST])

    def _of_table(self, connection: Connection, name: str) -> tuple[AttemptStatement, ...]:
        """The statements on a table that affect rows and match with triggers; executed on the first use."""
        with self._lock:
            if name not in self._matching:
                ids = [
                    statement.id
                    for statement in self._trial.statements
                    if statement.cell.table == name
                    and statement.cell.command != "select"
                    and statement.expected
                ]
                self._matching[name] = tuple(
                    result.statement
                    for result in self._trial.run_on(ids, connection, triggers=True)
                    if result.actual == frozenset(result.statement.expected)
                )
            return self._matching[name]
