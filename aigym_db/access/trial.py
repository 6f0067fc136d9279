"""Execute the cells of the access matrix as their actors; everything is rolled back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import psycopg

from aigym_db.access.attempts import AttemptStatement, RejectedAttempt, order_statements, plan_attempts
from aigym_db.access.completeness import check_completeness, check_functions
from aigym_db.access.distribution import copy_rows, distribute
from aigym_db.access.fixture import Fixture, fixture
from aigym_db.access.functions import CallableFunction, callable_functions
from aigym_db.access.matrix import AccessMatrix
from aigym_db.access.outcomes import AttemptResult, collect_outcomes
from aigym_db.access.tables import Table, tables
from aigym_db.database.migration_session import Connection
from aigym_db.database.queries import query
from aigym_db.model.access import Outcome


@dataclass(frozen=True, slots=True)
class Trial:
    """The statements of all cells, loaded into superuser sessions."""

    connections: tuple[Connection, ...]
    matrix: AccessMatrix
    tables: Mapping[str, Table]
    functions: Mapping[str, CallableFunction]
    """Those that the roles of the actors can execute."""
    fixtures: Mapping[str, Fixture]
    statements: tuple[AttemptStatement, ...]
    rejected: tuple[RejectedAttempt, ...]
    matched: Collection[tuple[str, ...]] = ()
    """Tables and actors whose cells are left out, because they are known to match."""

    def outcomes(self, results: Iterable[AttemptResult] | None = None) -> tuple[Outcome, ...]:
        """Return the outcome of each cell from the results of `run()`; without results, execute it."""
        cells = [
            cell
            for name in self.fixtures
            for cell in self.matrix.tables[name].cells.values()
            if (name, cell.actor) not in self.matched
        ]
        return collect_outcomes(
            cells, self.fixtures, self.rejected, self.run() if results is None else results
        )

    def run(
        self, statements: Iterable[AttemptStatement] | None = None, *, triggers: bool = False
    ) -> list[AttemptResult]:
        """Execute all statements or some, distributed to the connections by table; return their results.

        Triggers, rules and foreign keys are disabled unless `triggers` is set.
        """
        by_table: dict[str, list[int]] = {}
        for statement in self.statements if statements is None else statements:
            by_table.setdefault(statement.cell.table, []).append(statement.id)
        units = sorted(by_table.values(), key=len, reverse=True)
        results = distribute(
            self.connections, units, lambda connection, ids: self.run_on(ids, connection, triggers=triggers)
        )
        return [result for unit in results for result in unit]

    def run_on(
        self, ids: Sequence[int], connection: Connection, *, triggers: bool = False
    ) -> list[AttemptResult]:
        """Execute the statements with these `id`s on one connection, in order; return their results."""
        with connection.transaction(force_rollback=True):
            rows = connection.execute(
                query("access/run").encode(), {"attempts": list(ids), "stop": False, "replica": not triggers}
            ).fetchall()
        return [
            AttemptResult(
                self.statements[statement],
                None if reached is None else frozenset(reached),
                affected,
                state,
                message or "",
            )
            for statement, reached, affected, state, message in rows
        ]


def trial(
    connections: Connection | Sequence[Connection],
    matrix: AccessMatrix,
    only: Collection[str] | None = None,
    matched: Collection[tuple[str, ...]] = (),
) -> Trial:
    """Prepare the statements of all tables or of some; they are loaded into temporary tables of the sessions.

    The cells of tables and actors in `matched` are left out. The connections are of superusers, to one
    database with the fixture or to clones of it. Raise BadAccessMatrix (AIG-P012) if the tables or functions
    and the matrix do not correspond, or PostgreSQL rejects a row class.
    """
    sessions = (connections,) if isinstance(connections, psycopg.Connection) else tuple(connections)
    for session in sessions:
        session.execute("select set_config('search_path', '', false)")
    roles = {actor.name: actor.role for actor in matrix.actors.values()}
    catalog = tables(sessions[0], set(roles.values()))
    check_completeness(matrix, catalog)
    functions = callable_functions(sessions[0], matrix)
    check_functions(matrix, functions)
    tested = {
        name: {actor: role for actor, role in roles.items() if (name, actor) not in matched}
        for name in matrix.tables
        if only is None or name in only
    }
    selected = [name for name, actors in tested.items() if actors]
    fixtures = {name: fixture(sessions[0], matrix, matrix.tables[name], catalog[name]) for name in selected}
    statements: list[AttemptStatement] = []
    rejected: list[RejectedAttempt] = []
    for name in selected:
        for attempt in plan_attempts(matrix.tables[name], catalog[name], fixtures[name], tested[name]):
            if isinstance(attempt, AttemptStatement):
                statements.append(attempt)
            else:
                rejected.append(attempt)
    ordered = order_statements(statements)
    _load(sessions[0], matrix, ordered)
    for session in sessions[1:]:
        _create(session)
        copy_rows(sessions[0], session, read="access/read_attempts", fill="access/fill_attempts")
    return Trial(sessions, matrix, catalog, functions, fixtures, ordered, tuple(rejected), matched)


def _load(connection: Connection, matrix: AccessMatrix, statements: Iterable[AttemptStatement]) -> None:
    _create(connection)
    setup_ids: dict[str | None, int] = {None: 0}
    identities = {name: actor.texts for name, actor in matrix.actors.items()}
    with connection.cursor() as cursor, cursor.copy(query("access/fill_attempts").encode()) as copy:
        for statement in statements:
            copy.write_row(
                (
                    statement.id,
                    setup_ids.setdefault(statement.setup, len(setup_ids)),
                    statement.setup,
                    *identities[statement.cell.actor],
                    statement.body,
                    statement.observe,
                    None if statement.success is None else list(statement.success),
                    None if statement.passed is None else list(statement.passed),
                    [body for body, _ in statement.each] or None,
                    [key for _, key in statement.each] or None,
                    list(statement.expected),
                )
            )


def _create(connection: Connection) -> None:
    for name in ("discard", "create_attempts", "create_act_as", "create_run", "create_mutate"):
        connection.execute(query(f"access/{name}").encode())
