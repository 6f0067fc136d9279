"""The calls of the access matrix with arguments and expected values evaluated on the fixture."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import psycopg

from aigym_db.access.function_files import RESULT
from aigym_db.access.functions import CallableFunction
from aigym_db.access.matrix import AccessMatrix
from aigym_db.database.migration_session import Connection
from aigym_db.errors import BadAccessMatrix
from aigym_db.model.access import CallCell, CallStep
from aigym_db.syntax.quote import literal

Values = Mapping[str, tuple[str | None, ...]]
"""The values of SQL expressions, as text."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_RESULT = "current_setting('aigym.result')"
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
    before: tuple[CallStep, ...]
    """The statements executed before."""


@dataclass(frozen=True, slots=True)
class ReadOnlyCall:
    """A call of a function that writes nothing, with arguments that are the same for all actors."""

    function: str
    """`schema.name`."""
    label: str
    """`schema.name(call)`."""
    statement: str
    roles: frozenset[str]
    """The roles that can execute it."""


def plan_calls(
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
            _argument(_fill(text.replace(RESULT, _RESULT), matrix, cell.actor)) for text in cell.arguments
        )
        value = _fill(cell.expected.value, matrix, cell.actor)
        for _, argument in arguments:
            if _RESULT not in argument:
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
            + (argument if _RESULT in argument else literal(scalar_values[argument][0]))
            for name, argument in arguments
        )
        statement = f"{function.quoted}({listed})"
        body = ""
        if matrix.actors[cell.actor].role in function.roles:
            body = f"call {statement}" if function.procedure else _query_of(statement)
        before = tuple(
            replace(step, sql=_fill(step.sql.replace(RESULT, _RESULT), matrix, step.actor))
            for step in cell.before
        )
        if before:
            statement = "; ".join((*_shown(before, cell.actor), statement)).replace(_RESULT, RESULT)
        planned.append(
            PlannedCall(cell, statement, None if values is None else sort_values(values), body, before)
        )
    return tuple(planned)


def read_only_calls(
    connection: Connection, matrix: AccessMatrix, functions: Mapping[str, CallableFunction]
) -> tuple[ReadOnlyCall, ...]:
    """Return the calls of the matrix that write nothing and whose arguments are the same for all actors."""
    cells: dict[tuple[str, str], CallCell] = {}
    for name, function_matrix in matrix.functions.items():
        for cell in function_matrix.cells.values():
            used = set(_PLACEHOLDER.findall(" ".join(cell.arguments)))
            if functions[name].read_only and not cell.before and used.isdisjoint(matrix.actor_list.names):
                cells.setdefault((name, cell.call), cell)
    return tuple(
        ReadOnlyCall(
            call.cell.function.partition("(")[0],
            f"{call.cell.function}({call.cell.call})",
            call.statement,
            functions[call.cell.function].roles,
        )
        for call in plan_calls(connection, matrix, functions, cells.values())
    )


def sort_values(values: Iterable[str | None]) -> tuple[str | None, ...]:
    """Return the values in an order of their own, null last."""
    return tuple(sorted(values, key=lambda value: (value is None, value or "")))


def _shown(before: Iterable[CallStep], caller: str) -> Iterator[str]:
    """Yield the statements before a call, each with its actor unless that is the caller."""
    for step in before:
        yield step.sql if step.actor == caller else f"{step.actor}: {step.sql}"


def _query_of(statement: str) -> str:
    """Return the query of the values that a function returns, as one array of texts."""
    values = "coalesce(array_agg(aigym_result::text), '{}')"
    return f"select {values} from {statement} as aigym_result"


def _argument(text: str) -> tuple[str, str]:
    """Return the name of an argument, empty if it is positional, and its expression."""
    match = _NAMED.fullmatch(text)
    return (match[1], match[2]) if match else ("", text)


def _fill(text: str, matrix: AccessMatrix, actor: str) -> str:
    """Replace `{me}` and other names by the values of the actor, `{alice}` by the value of the fixture."""
    names = {**matrix.actor_list.people, **matrix.actors[actor].names}
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
