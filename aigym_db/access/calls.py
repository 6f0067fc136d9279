"""Execute the call cells of the access matrix as their actors; everything is rolled back."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psycopg

from aigym_db.access.completeness import check_functions
from aigym_db.access.function_files import RESULT
from aigym_db.access.functions import CallableFunction, callable_functions
from aigym_db.access.matrix import AccessMatrix
from aigym_db.access.reach import ReadOnlyCall, policed_roles, reach_function, written_function
from aigym_db.access.tables import tables
from aigym_db.database.queries import query
from aigym_db.errors import BadAccessMatrix
from aigym_db.model.access import CallCell, CallOutcome, RowCounts
from aigym_db.syntax.quote import literal

Connection = psycopg.Connection[tuple[Any, ...]]
Values = Mapping[str, tuple[str | None, ...]]
"""The values of SQL expressions, as text."""

_DENIED = "rejected 42501"
_RESULT = "current_setting('aigym.result')"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_NAMED = re.compile(r"(\w+) => (.*)", re.DOTALL)
_TARGETS = 1_000
"""Expressions evaluated by one query; PostgreSQL allows 1,664 columns."""


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A call whose arguments and expected values have been evaluated."""

    cell: CallCell
    statement: str
    """The function with the values of its arguments."""
    returned: tuple[str | None, ...] | None
    """The expected values, sorted; None if only their number is expected, or the call is rejected."""
    body: str
    """The query or CALL to execute; empty if the role cannot execute the function."""
    before: str | None
    """The SQL executed before."""


@dataclass(frozen=True, slots=True)
class CallTrial:
    """The calls of functions, loaded into superuser sessions."""

    connections: tuple[Connection, ...]
    matrix: AccessMatrix
    calls: tuple[PlannedCall, ...]

    def outcomes(self) -> tuple[CallOutcome, ...]:
        """Execute all calls, distributed to the connections by actor; return the outcome of each cell."""
        actors = list(self.matrix.actors)
        shares: list[list[int]] = [[] for _ in self.connections]
        for index, call in enumerate(self.calls):
            if call.body:
                shares[actors.index(call.cell.actor) % len(shares)].append(index)
        outcomes = [
            CallOutcome(call.cell, _expects_denial(call.cell), _DENIED, call.statement) for call in self.calls
        ]
        with ThreadPoolExecutor(len(shares)) as pool:
            for share in pool.map(self.run_on, shares, self.connections):
                for index, outcome in share:
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
    connections: Connection | Sequence[Connection], matrix: AccessMatrix, only: Collection[str] | None = None
) -> CallTrial:
    """Prepare the calls of all functions or of some; they are loaded into temporary tables of the sessions.

    The connections are of superusers, to one database with the fixture or to clones of it. Raise
    BadAccessMatrix (AIG-P012) if functions and matrix do not correspond, or PostgreSQL rejects an expression.
    """
    sessions = (connections,) if isinstance(connections, psycopg.Connection) else tuple(connections)
    for session in sessions:
        session.execute("select set_config('search_path', '', false)")
    functions = callable_functions(sessions[0], matrix)
    check_functions(matrix, functions)
    cells = [
        cell
        for name, function_matrix in matrix.functions.items()
        if only is None or name in only
        for cell in function_matrix.cells.values()
    ]
    calls = _plan(sessions[0], matrix, functions, cells)
    reach = _reach(sessions[0], matrix, functions)
    for session in sessions:
        _load(session, matrix, reach, calls)
    return CallTrial(sessions, matrix, calls)


def _plan(
    connection: Connection,
    matrix: AccessMatrix,
    functions: Mapping[str, CallableFunction],
    cells: Iterable[CallCell],
) -> tuple[PlannedCall, ...]:
    """Return the calls with arguments and expected values evaluated on the fixture, as superuser."""
    scalars: dict[str, CallCell] = {}
    sets: dict[str, CallCell] = {}
    texts: list[tuple[CallCell, CallableFunction, tuple[tuple[str, str], ...], str]] = []
    for cell in cells:
        function = functions[cell.function]
        arguments = tuple(
            _argument(_fill(text.replace(RESULT, _RESULT), matrix, cell)) for text in cell.arguments
        )
        value = _fill(cell.expected.value, matrix, cell)
        for _, argument in arguments:
            if argument != _RESULT:
                scalars.setdefault(argument, cell)
        if value:
            (sets if function.returns_set else scalars).setdefault(value, cell)
        texts.append((cell, function, arguments, value))
    scalar_values = _evaluate(connection, scalars, "array[({})::text]")
    set_values = _evaluate(connection, sets, "({})::text[]")
    planned = []
    for cell, function, arguments, value in texts:
        values = (set_values if function.returns_set else scalar_values)[value] if value else None
        listed = ", ".join(
            (f"{name} => " if name else "")
            + (argument if argument == _RESULT else literal(scalar_values[argument][0]))
            for name, argument in arguments
        )
        statement = f"{function.quoted}({listed})"
        body = ""
        if matrix.actors[cell.actor].role in function.roles:
            body = f"call {statement}" if function.procedure else _query_of(statement)
        before = _fill(cell.before, matrix, cell) or None
        if before:
            statement = f"{before}; {statement.replace(_RESULT, RESULT)}"
        planned.append(
            PlannedCall(cell, statement, None if values is None else _sorted(values), body, before)
        )
    return tuple(planned)


def _reach(
    connection: Connection, matrix: AccessMatrix, functions: Mapping[str, CallableFunction]
) -> Mapping[str, str]:
    """Return the SQL of the functions that read the reach of an actor, by role.

    That of `aigym_written` has the key ''.
    """
    roles = {actor.role for actor in matrix.actors.values()}
    catalog = [
        table
        for name, table in tables(connection, roles).items()
        if name.partition(".")[0] not in matrix.actor_list.outside
    ]
    cells: dict[tuple[str, str], CallCell] = {}
    for name, function_matrix in matrix.functions.items():
        for cell in function_matrix.cells.values():
            used = set(_PLACEHOLDER.findall(" ".join(cell.arguments)))
            if functions[name].read_only and not cell.before and used.isdisjoint(matrix.actor_list.names):
                cells.setdefault((name, cell.call), cell)
    calls = [
        ReadOnlyCall(
            f"{call.cell.function}({call.cell.call})", call.statement, functions[call.cell.function].roles
        )
        for call in _plan(connection, matrix, functions, cells.values())
    ]
    functions_sql = {
        role: reach_function(f"aigym_reach_{index}", role, catalog, calls)
        for index, role in enumerate(policed_roles(catalog, roles))
    }
    return {"": written_function("aigym_written", catalog), **functions_sql}


def _query_of(statement: str) -> str:
    """Return the query of the values that a function returns, as one array of texts."""
    values = "coalesce(array_agg(aigym_result::text), '{}')"
    return f"select {values} from {statement} as aigym_result"


def _argument(text: str) -> tuple[str, str]:
    """Return the name of an argument, empty if it is positional, and its expression."""
    match = _NAMED.fullmatch(text)
    return (match[1], match[2]) if match else ("", text)


def _fill(text: str, matrix: AccessMatrix, cell: CallCell) -> str:
    """Replace `{me}` and other names by the values of the actor, `{alice}` by the value of the fixture."""
    names = {**matrix.actor_list.people, **matrix.actors[cell.actor].names}
    return _PLACEHOLDER.sub(lambda match: literal(names[match[1]]), text)


def _evaluate(connection: Connection, texts: Mapping[str, CallCell], form: str) -> Values:
    """Return the value of each expression, as superuser.

    Raise BadAccessMatrix (AIG-P012) with the place of the cell whose expression PostgreSQL rejects.
    """
    values: dict[str, tuple[str | None, ...]] = {}
    every = tuple(texts)
    for start in range(0, len(every), _TARGETS):
        part = every[start : start + _TARGETS]
        try:
            rows = _targets(connection, [form.format(text) for text in part])
        except psycopg.Error:
            rows = [_evaluate_one(connection, text, texts[text], form) for text in part]
        for text, row in zip(part, rows, strict=True):
            values[text] = tuple(row or ())
    return values


def _targets(connection: Connection, targets: Sequence[str]) -> list[list[str | None] | None]:
    with connection.transaction():
        row = connection.execute(f"select {', '.join(targets)}".encode()).fetchone()
    return list(row or ())


def _evaluate_one(connection: Connection, text: str, cell: CallCell, form: str) -> list[str | None] | None:
    try:
        return _targets(connection, [form.format(text)])[0]
    except psycopg.Error as error:
        raise BadAccessMatrix(
            f"{cell}: PostgreSQL rejects the expression {text}: {error.diag.message_primary}.",
            place=cell.place,
            detail=str(error),
            hint="Correct the argument or the expected value.",
        ) from error


def _load(
    connection: Connection, matrix: AccessMatrix, reach: Mapping[str, str], calls: Sequence[PlannedCall]
) -> None:
    """Create the functions that execute calls, and fill the table of those that are executed."""
    names_of_reach = {
        role: f"aigym_reach_{index}" for index, role in enumerate(role for role in reach if role)
    }
    names = (
        "create_act_as",
        "create_calls",
        "create_counted_tables",
        "create_count_changes",
        "create_run_calls",
    )
    with connection.transaction():
        for name in ("discard_calls", *names):
            connection.execute(query(f"access/{name}").encode())
        for text in reach.values():
            connection.execute(text.encode())
    with connection.cursor() as cursor, cursor.copy(query("access/fill_calls").encode()) as copy:
        for index, call in enumerate(calls):
            if not call.body:
                continue
            actor = matrix.actors[call.cell.actor]
            claims = json.dumps(actor.claims) if actor.claims else ""
            copy.write_row(
                (
                    index,
                    actor.role,
                    claims,
                    json.dumps(dict(actor.settings)),
                    call.before,
                    call.body,
                    names_of_reach.get(actor.role),
                )
            )


def _outcome(
    call: PlannedCall,
    returned: list[str | None] | None,
    changes: Mapping[str, Sequence[int]] | None,
    gains: Mapping[str, int] | None,
    state: str | None,
    message: str | None,
    *,
    reach: bool,
) -> CallOutcome:
    expected = call.cell.expected
    if returned is None:
        return CallOutcome(
            call.cell, expected.rejected == state, f"rejected {state} ({message})", call.statement
        )
    counts = {table: (row[0], row[1], row[2]) for table, row in sorted((changes or {}).items())}
    ok = (
        not expected.rejected
        and counts == dict(expected.changes)
        and (not reach or _gains_match(gains or {}, expected.gains))
        and (len(returned) == expected.rows if call.returned is None else _sorted(returned) == call.returned)
    )
    values = f"{len(returned)} row{'' if len(returned) == 1 else 's'}"
    if call.returned is not None:
        values = ", ".join("null" if value is None else value for value in returned) or "0 rows"
    gained = ", ".join(f"{name} {count}" for name, count in sorted((gains or {}).items()))
    actual = "; ".join(filter(None, (values, _listed_changes(counts), gained and f"gains {gained}")))
    return CallOutcome(call.cell, ok, actual, call.statement)


def _gains_match(actual: Mapping[str, int], expected: Mapping[str, int | None]) -> bool:
    return actual.keys() == expected.keys() and all(
        count is None or actual[name] == count for name, count in expected.items()
    )


def _expects_denial(cell: CallCell) -> bool:
    return cell.expected.rejected == _DENIED.split()[1]


def _sorted(values: Iterable[str | None]) -> tuple[str | None, ...]:
    return tuple(sorted(values, key=lambda value: (value is None, value or "")))


def _listed_changes(changes: Mapping[str, RowCounts]) -> str:
    """Return changes in the form of a cell: `app.notes +1 ~2, app.log +3`."""
    return ", ".join(
        " ".join((table, *(f"{sign}{count}" for sign, count in zip("+~-", counts, strict=True) if count)))
        for table, counts in changes.items()
    )
