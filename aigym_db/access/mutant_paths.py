"""Test functions without their `set search_path`, called with a search_path that shadows PostgreSQL's names.

A schema before pg_catalog contains every function and operator that the body of the function names without a
schema. Each of them raises an error. A call or statement that succeeds with this search_path as long as the
function sets its own, and fails without, kills the mutant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from aigym_db.access.attempts import AttemptStatement
from aigym_db.access.call_graph import CallGraph
from aigym_db.access.function_mutations import names_without_schema
from aigym_db.access.mutant_calls import CallTest
from aigym_db.access.mutations import Mutation
from aigym_db.access.trial import Trial
from aigym_db.database.migration_session import Connection
from aigym_db.database.queries import query

_PATH = "aigym_shadow, pg_catalog"
_MOST = 24
"""Maximum number of calls and of statements per mutant."""
_ORDER = ("select", "update", "insert", "reassign", "delete")
"""Commands in the order of use: foreign keys reject most statements that delete rows."""
_EACH = 2
"""Number of statements per table and command."""


class PathTest:
    """The calls and statements with the search_path of the caller; used by several threads."""

    def __init__(self, trial: Trial, calls: CallTest | None, graph: CallGraph) -> None:
        self._trial = trial
        self._calls = calls
        self._graph = graph
        for connection in trial.connections:
            for name in ("create_shadow", "create_run_with_path"):
                connection.execute(query(f"access/{name}").encode())

    def killer(self, connection: Connection, mutation: Mutation) -> tuple[str | None, str | None]:
        """Apply the mutant, execute calls and statements and roll back; return the killing cell."""
        names = sorted(names_without_schema(self._graph.functions[mutation.function or 0]))
        calls = self._calls.candidates(mutation.function)[:_MOST] if self._calls else ()
        statements = {statement.id: str(statement.cell) for statement in self._statements(mutation)}
        with connection.transaction(force_rollback=True):
            connection.execute(query("access/shadow").encode(), {"names": names})
            cells = {**self._succeeding_calls(connection, calls)}
            matching = self._succeeding(connection, statements)
            connection.execute(mutation.mutant.ddl.encode())
            if failing := cells.keys() - self._succeeding_calls(connection, [*cells]).keys():
                return f"{cells[min(failing)]} with another search_path", None
            if failing := matching - self._succeeding(connection, matching):
                return f"{statements[min(failing)]} with another search_path", None
        return None, None

    def _statements(self, mutation: Mutation) -> tuple[AttemptStatement, ...]:
        """Statements that reach rows of tables whose policies or triggers execute the function."""
        written = self._graph.executed_by_writes(mutation.function)
        kinds = Counter[tuple[str, str]]()
        chosen = []
        for statement in sorted(self._trial.statements, key=lambda item: _ORDER.index(item.cell.command)):
            table, command = statement.cell.table, statement.cell.command
            fired = table in mutation.touches or (table in written and command != "select")
            if fired and statement.expected:
                kinds[table, command] += 1
                if kinds[table, command] <= _EACH:
                    chosen.append(statement)
        return tuple(chosen[:_MOST])

    def _succeeding_calls(self, connection: Connection, ids: Sequence[int]) -> dict[int, str]:
        """The calls with the expected result, and their cells."""
        if self._calls is None or not ids:
            return {}
        outcomes = self._calls.trial.run_on(ids, connection, reach=False, search_path=_PATH)
        return {index: str(outcome.cell) for index, outcome in outcomes if outcome.ok}

    def _succeeding(self, connection: Connection, ids: Collection[int]) -> set[int]:
        """The statements that raise no error."""
        parameters = {"attempts": list(ids), "path": _PATH}
        with connection.transaction(force_rollback=True):
            rows = connection.execute(query("access/run_with_path").encode(), parameters).fetchall()
        return {statement for statement, state in rows if state is None}
