"""Execute the call cells of the access matrix as their actors; everything is rolled back."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from aigym_db.access.call_plans import PlannedCall, plan_calls, sort_values
from aigym_db.access.completeness import check_functions
from aigym_db.access.distribution import copy_rows, distribute
from aigym_db.access.functions import callable_functions
from aigym_db.access.matrix import AccessMatrix
from aigym_db.access.reach import Reach, reach
from aigym_db.access.reach_counts import listed_reach, reach_matches
from aigym_db.database.migration_session import Connection
from aigym_db.database.queries import query
from aigym_db.model.access import CallCell, CallOutcome, CallStep, RowCounts

_DENIED = "rejected 42501"
_QUERIES = (
    "create_calls",
    "create_counted_tables",
    "create_count_changes",
    "create_run_step",
    "create_changed_parts",
    "create_read_baseline",
    "create_run_calls",
)


@dataclass(frozen=True, slots=True)
class CallTrial:
    """The calls of functions, loaded into superuser sessions."""

    connections: tuple[Connection, ...]
    matrix: AccessMatrix
    calls: tuple[PlannedCall, ...]

    def outcomes(self) -> tuple[CallOutcome, ...]:
        """Execute all calls, distributed to the connections by actor; return the outcome of each cell."""
        if not self.calls:
            return ()
        by_actor: dict[str, list[int]] = {}
        for index, call in enumerate(self.calls):
            if call.body:
                by_actor.setdefault(call.cell.actor, []).append(index)
        outcomes = [
            CallOutcome(call.cell, _expects_denial(call.cell), _DENIED, call.statement) for call in self.calls
        ]
        executed = distribute(
            self.connections, by_actor.values(), lambda connection, ids: self.run_on(ids, connection)
        )
        for index, outcome in (result for results in executed for result in results):
            outcomes[index] = outcome
        return tuple(outcomes)

    def run_on(
        self, ids: Sequence[int], connection: Connection, *, reach: bool = True, search_path: str = ""
    ) -> list[tuple[int, CallOutcome]]:
        """Execute the calls at these positions on one connection; return the position and outcome of each.

        Without `reach`, the reach of the actors is not read, and gains are not compared. `search_path` is
        that of the caller.
        """
        parameters = {"calls": list(ids), "reach": reach, "search_path": search_path}
        with connection.transaction(force_rollback=True):
            rows = connection.execute(query("access/run_calls").encode(), parameters).fetchall()
        return [(index, _outcome(self.calls[index], *result, reach=reach)) for index, *result in rows]


def call_outcomes(
    connections: Connection | Sequence[Connection], matrix: AccessMatrix, only: Collection[str] | None = None
) -> tuple[CallOutcome, ...]:
    """Execute the calls of all functions or of some, and return the outcome of each cell."""
    return call_trial(connections, matrix, only).outcomes()


def call_trial(
    connections: Connection | Sequence[Connection],
    matrix: AccessMatrix,
    only: Collection[str] | None = None,
    matched: Collection[tuple[str, ...]] = (),
    reach_: Reach | None = None,
) -> CallTrial:
    """Prepare the calls of all functions or of some; they are loaded into temporary tables of the sessions.

    Calls whose function, name and actor are in `matched` are left out. `reach_` is that of the functions of
    the matrix, which is determined if it is not given. The connections are of superusers, to one database
    with the fixture or to clones of it. Raise BadAccessMatrix (AIG-P012) if functions and matrix do not
    correspond, or PostgreSQL rejects an expression.
    """
    sessions = (connections,) if isinstance(connections, psycopg.Connection) else tuple(connections)
    for session in sessions:
        session.execute("select set_config('search_path', '', false), set_config('aigym.result', '', false)")
    functions = callable_functions(sessions[0], matrix)
    check_functions(matrix, functions)
    cells = [
        cell
        for name, function_matrix in matrix.functions.items()
        if only is None or name in only
        for cell in function_matrix.cells.values()
        if (cell.function, cell.call, cell.actor) not in matched
    ]
    if not cells:
        return CallTrial(sessions, matrix, ())
    calls = plan_calls(sessions[0], matrix, functions, cells)
    reach_ = reach_ or reach(sessions[0], matrix, functions)
    for session in sessions:
        _create(session, reach_)
    _load(sessions[0], matrix, reach_, calls)
    for session in sessions[1:]:
        copy_rows(sessions[0], session, read="access/read_calls", fill="access/fill_calls")
    return CallTrial(sessions, matrix, calls)


def _create(connection: Connection, reach_: Reach) -> None:
    """Create the functions that execute calls, and the tables that they read."""
    with connection.transaction():
        connection.execute(query("access/discard_calls").encode())
        reach_.create(connection)
        for name in _QUERIES:
            connection.execute(query(f"access/{name}").encode())


def _load(connection: Connection, matrix: AccessMatrix, reach_: Reach, calls: Sequence[PlannedCall]) -> None:
    """Fill the table of the calls that are executed."""
    actors = {name: actor.texts for name, actor in matrix.actors.items()}
    identities = {name: reach_.identity(actor) for name, actor in matrix.actors.items()}
    compared: dict[tuple[str, ...], str] = {}
    with connection.cursor() as cursor, cursor.copy(query("access/fill_calls").encode()) as copy:
        for index, call in enumerate(calls):
            if call.body:
                steps = tuple(step.actor for step in call.before)
                names = call.cell.actor, *steps
                if names not in compared:
                    compared[names] = _compared(identities, *names)
                before = json.dumps([_step(matrix, step) for step in call.before]) if call.before else "[]"
                policed = any(identities[name] for name in steps)
                copy.write_row((index, *actors[call.cell.actor], before, policed, call.body, compared[names]))


def _step(matrix: AccessMatrix, step: CallStep) -> Mapping[str, Any]:
    """Return a statement before a call as `aigym_run_step` reads it."""
    actor = matrix.actors[step.actor]
    return {
        "role": actor.role,
        "claims": actor.claims_text,
        "settings": dict(actor.settings),
        "sql": step.sql,
    }


def _compared(identities: Mapping[str, Mapping[str, Any] | None], caller: str, *others: str) -> str:
    """Return the actors of a call whose reach can change, as JSON; the key of the caller is empty."""
    keys = {name: name for name in others} | {caller: ""}
    return json.dumps({key: identities[name] for name, key in keys.items() if identities[name] is not None})


def _outcome(
    call: PlannedCall,
    returned: list[str | None] | None,
    changes: Mapping[str, Sequence[int]] | None,
    reached: Sequence[tuple[str, str, str, int]] | None,
    state: str | None,
    message: str | None,
    rejected_step: int | None,
    *,
    reach: bool,
) -> CallOutcome:
    expected = call.cell.expected
    if returned is None:
        ok = expected.rejected == state and expected.rejected_before == (rejected_step is not None)
        which = f"statement {rejected_step} of {len(call.before)}: " if len(call.before) > 1 else ""
        actual = f"rejected {state} ({message})"
        if rejected_step is not None:
            actual = f"before rejected {state} ({which}{message})"
        return CallOutcome(call.cell, ok, actual, call.statement)
    counts = {table: (row[0], row[1], row[2]) for table, row in sorted((changes or {}).items())}
    reach_counts = {(actor, kind, name): count for actor, kind, name, count in reached or ()}
    ok = (
        not expected.rejected
        and counts == dict(expected.changes)
        and (not reach or reach_matches(reach_counts, expected.reach))
        and (
            len(returned) == expected.rows
            if call.returned is None
            else sort_values(returned) == call.returned
        )
    )
    values = f"{len(returned)} row{'' if len(returned) == 1 else 's'}"
    if expected.text.partition("; ")[0] == "void":
        values = "void"
    elif call.returned is not None:
        values = ", ".join("null" if value is None else value for value in returned) or "0 rows"
    actual = "; ".join(filter(None, (values, _listed_changes(counts), *listed_reach(reach_counts))))
    return CallOutcome(call.cell, ok, actual, call.statement)


def _expects_denial(cell: CallCell) -> bool:
    return cell.expected.rejected == _DENIED.split()[1] and not cell.expected.rejected_before


def _listed_changes(changes: Mapping[str, RowCounts]) -> str:
    """Return changes in the form of a cell: `app.notes +1 ~2, app.log +3`."""
    return ", ".join(
        " ".join((table, *(f"{sign}{count}" for sign, count in zip("+~-", counts, strict=True) if count)))
        for table, counts in changes.items()
    )
