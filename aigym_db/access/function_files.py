"""The functions in `policies/<domain>.access.toml`: named calls, and what each does for each actor.

    [functions."iam.grant_role".calls]
    editor_to_comember = ["{comember}", "'editor'", "{acme}"]     # SQL expressions, one per argument
    admin_to_self      = ["{me}", "'admin'", "{acme}"]

    [functions."iam.grant_role".access]
    #            editor_to_comember           admin_to_self
    admin     = ["1 row; iam.user_roles +1", "rejected"]
    coach     = { admin_to_self = "rejected", rest = "1 row" }    # `rest`: all calls not listed
    end_users = "rejected"                                        # the same for every call
    no_access = ["anonymous"]                                     # the role cannot execute the function

A call can also be a table: `{ before = "select token from iam.invite({acme}, 'a@b.test')", arguments =
["{result}"] }`. The actor executes `before` in the same transaction; `{result}` is the value it returns, and
what it changes counts for the call. `before` can be a list; `{ as = "admin", sql = "…" }` in it is executed
by another actor, whose `{me}` it contains.

A function is named `schema.name`, or `schema.name(type,type)` if there are several of that name. The row of
an actor takes precedence over the row of its group. There are no defaults: each function that the role of an
actor can execute has calls, and each actor has a row or is under `no_access`.

A cell is `rejected` (SQLSTATE 42501), `rejected 22023` (another SQLSTATE), `before rejected` with or without
a SQLSTATE (a statement in `before` is rejected, and the call not executed), or what the call returns,
followed by `; ` and what it changes. It returns `2 rows`, `void`, or the value of an SQL expression, for a
set that of an array: `true`, `{tenants}`. Changes are tables with the numbers of rows inserted, updated and
deleted by the call and the triggers it fires: `iam.user_roles +1, iam.memberships ~2 -1`. A table that is not
listed is not changed. `; gains app.notes 3, app.tenant_ids(own) 1` lists what the actor reaches only after
the call, see `reach`; without a number, any number matches. If several actors execute statements, `; loses
app.notes 3` lists what the actor reaches no more, and `; admin gains app.notes 3`, `; admin loses …` the same
for another of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aigym_db.access.actors import ActorList
from aigym_db.access.matrix_rows import add_row
from aigym_db.errors import AigymError
from aigym_db.model.access import CallCell, CallExpectation, CallStep, ReachKey, RowCounts
from aigym_db.model.source import Place
from aigym_db.project.toml import STRINGS, Document

KEY = "functions"
"""The key of the functions in an access matrix file."""
REST = "rest"
"""The key of the cell for all calls that a row does not list."""
NO_ACCESS = "no_access"
"""The key of the actors whose role cannot execute a function."""
RESULT = "{result}"
"""In an argument: the value that the SQL in `before` returns."""
_FUNCTION_KEYS = ("calls", "access")
_CALL_KEYS = ("arguments", "before")
_STEP_KEYS = ("as", "sql")
KEYS = (KEY, *_FUNCTION_KEYS, *_CALL_KEYS, *_STEP_KEYS, NO_ACCESS, REST)
"""Every key of the format; docs/access-matrix.md lists them."""
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_ROWS = re.compile(r"(\d+) rows?")
_REJECTED = re.compile(r"(before )?rejected(?: ([0-9A-Z]{5}))?")
_CHANGE = re.compile(r"([^\s.]+\.[^\s.]+)((?: [+~-]\d+)+)")
_REACH = re.compile(r"(?:(\w+) )?(gains|loses) (.+)")
_REACHED = re.compile(r"(\S+)(?: (\d+))?")
_DENIED = "42501"
_HINT = "Write `rejected`, `before rejected`, or what the call returns and changes: `1 row; app.notes +1`."


@dataclass(frozen=True, slots=True)
class FunctionMatrix:
    """The cells of one function."""

    function: str
    """`schema.name`, or `schema.name(type,type)`."""
    place: Place
    cells: Mapping[tuple[str, str], CallCell]
    """By (actor, call)."""

    @property
    def calls(self) -> int:
        """The number of calls."""
        return len({call for _, call in self.cells})


def read_functions(doc: Document, actor_list: ActorList) -> tuple[FunctionMatrix, ...]:
    """Return the functions of an access matrix file.

    Raise BadAccessMatrix (AIG-P012) with file and line for an unknown key, a missing or an invalid cell.
    """
    functions = doc.values.get(KEY, {})
    if not isinstance(functions, dict):
        raise doc.wrong(f"`{KEY}` must be a table.", KEY, hint=f'Write `[{KEY}."schema.name".calls]`.')
    return tuple(_function_matrix(doc, name, value, actor_list) for name, value in functions.items())


def _function_matrix(doc: Document, function: str, value: Any, actor_list: ActorList) -> FunctionMatrix:
    keys = (KEY, function)
    if not re.fullmatch(r"[^.\s(]+\.[^.\s(]+(\(.*\))?", function):
        raise doc.wrong(f"`{function}` is not a function name.", *keys, hint='Write `"schema.name"`.')
    doc.only(value, _FUNCTION_KEYS, *keys, subject=function)
    calls = _calls(doc, function, value.get("calls"), actor_list)
    rows = _rows(doc, function, value.get("access"), actor_list, tuple(calls))
    cells: dict[tuple[str, str], CallCell] = {}
    places: dict[str, tuple[Place, ...]] = {}
    for actor in actor_list.actors:
        if actor not in rows:
            raise doc.wrong(
                f"{function} has no expected results for the actor `{actor}`.",
                *keys,
                "access",
                hint=f"Give it a row of {len(calls)} cells, or put it under `no_access`.",
            )
        key, expectations = rows[actor]
        if key not in places:
            places[key] = _places(doc, value["access"][key], tuple(calls), *keys, "access", key)
        for (call, (arguments, before)), expected, place in zip(
            calls.items(), expectations, places[key], strict=True
        ):
            steps = tuple(CallStep(sql, other or actor) for other, sql in before)
            cells[actor, call] = CallCell(function, call, actor, expected, arguments, steps, place)
    return FunctionMatrix(function, doc.place(*keys), cells)


def _calls(
    doc: Document, function: str, value: Any, actor_list: ActorList
) -> Mapping[str, tuple[tuple[str, ...], tuple[tuple[str, str], ...]]]:
    """Return the arguments of each call, and what is executed before it."""
    if not isinstance(value, dict) or not value:
        raise doc.wrong(
            f"{function} has no calls.",
            KEY,
            function,
            hint='Add `calls`: names, each with `["argument", …]`.',
        )
    calls: dict[str, tuple[tuple[str, ...], tuple[tuple[str, str], ...]]] = {}
    for name, arguments in value.items():
        keys = (KEY, function, "calls", name)
        if name == REST:
            raise doc.wrong(f"`{REST}` cannot be the name of a call.", *keys, hint="Choose another name.")
        before: tuple[tuple[str, str], ...] = ()
        listed = arguments
        if isinstance(arguments, dict):
            doc.only(arguments, _CALL_KEYS, *keys, subject=f"The call `{name}`")
            before = _before(doc, arguments.get("before", []), actor_list, *keys, "before")
            listed = arguments.get("arguments", [])
        texts = doc.strings(listed, *keys, subject=f"The list of arguments of `{name}`")
        for text in texts:
            _check_placeholders(doc, text.replace(RESULT, "") if before else text, actor_list, *keys)
        calls[name] = texts, before
    return calls


def _before(doc: Document, value: Any, actor_list: ActorList, *keys: str) -> tuple[tuple[str, str], ...]:
    """Return what is executed before a call: the actor, empty for that of the call, and the SQL."""
    steps: list[tuple[str, str]] = []
    for step in value if isinstance(value, list) else [value]:
        actor, sql = "", step
        if isinstance(step, dict):
            doc.only(step, _STEP_KEYS, *keys, subject="A statement of `before`")
            actor = doc.text(step.get("as", ""), *keys, subject="`as`")
            sql = step.get("sql", "")
        if actor and actor not in actor_list.actors:
            raise doc.unknown(f"The actor `{actor}` does not exist.", actor, actor_list.actors, *keys)
        text = doc.text(sql, *keys, subject="`before`")
        _check_placeholders(doc, text.replace(RESULT, "") if steps else text, actor_list, *keys)
        steps.append((actor, text))
    return tuple(steps)


def _rows(
    doc: Document, function: str, value: Any, actor_list: ActorList, calls: tuple[str, ...]
) -> Mapping[str, tuple[str, tuple[CallExpectation, ...]]]:
    """Return the key and the cells of the row of each actor; its own row precedes that of its group."""
    keys = (KEY, function, "access")
    if not isinstance(value, dict):
        raise doc.wrong(f"{function} has no expected results.", KEY, function, hint="Add `access`.")
    own: dict[str, tuple[str, tuple[CallExpectation, ...]]] = {}
    grouped: dict[str, tuple[str, tuple[CallExpectation, ...]]] = {}
    for key, row in value.items():
        no_access = key == NO_ACCESS
        members = doc.strings(row, *keys, key, subject="`no_access`") if no_access else (key,)
        texts = ("rejected",) * len(calls) if no_access else _texts(doc, row, calls, *keys, key)
        cells = tuple(_expectation(doc, text, actor_list, *keys, key) for text in texts)
        for name in members:
            rows = own if name in actor_list.actors else grouped
            add_row(rows, (key, cells), name, doc, actor_list, *keys, key)
    return {**grouped, **own}


def _texts(doc: Document, row: Any, calls: tuple[str, ...], *keys: str) -> tuple[str, ...]:
    """Return the text of each cell of a row: one for all calls, a list in their order, or a table by call."""
    if isinstance(row, str):
        return (row,) * len(calls)
    if isinstance(row, dict):
        doc.only(row, (*calls, REST), *keys, subject=f"The row of `{keys[-1]}`")
        missing = [call for call in calls if call not in row and REST not in row]
        if missing:
            raise doc.wrong(
                f"The row of `{keys[-1]}` has no cell for the call `{missing[0]}`.",
                *keys,
                hint=f"Add `{missing[0]} = …`, or `{REST} = …` for all calls not listed.",
            )
        cells = {key: doc.text(text, *keys, key, subject="A cell") for key, text in row.items()}
        return tuple(cells[call] if call in cells else cells[REST] for call in calls)
    if not STRINGS.accepts(row) or len(row) != len(calls):
        raise doc.wrong(
            f"The row of `{keys[-1]}` must have a cell for each of the {len(calls)} calls, or one for all.",
            *keys,
            hint=f"Write a list for: {', '.join(calls)}.",
        )
    return tuple(row)


def _places(doc: Document, row: Any, calls: tuple[str, ...], *keys: str) -> tuple[Place, ...]:
    """Return the place of each cell of a row: its own line if the row is a table."""
    if not isinstance(row, dict):
        return (doc.place(*keys),) * len(calls)
    listed = {key: doc.place(*keys, key) for key in row}
    return tuple(listed[call] if call in listed else listed[REST] for call in calls)


def _expectation(doc: Document, text: str, actor_list: ActorList, *keys: str) -> CallExpectation:
    _check_placeholders(doc, text, actor_list, *keys)
    if rejected := _REJECTED.fullmatch(text):
        return CallExpectation(text, rejected=rejected[2] or _DENIED, rejected_before=bool(rejected[1]))
    returned, *rest = text.split("; ")
    if not returned.strip() or text.startswith(("rejected", "before rejected")):
        raise _invalid_cell(doc, text, *keys)
    changes: dict[str, RowCounts] = {}
    if rest and not _REACH.fullmatch(rest[0]):
        for item in rest.pop(0).split(", "):
            match = _CHANGE.fullmatch(item)
            if match is None or match[1] in changes:
                raise _invalid_cell(doc, text, *keys)
            changes[match[1]] = _row_counts(match[2])
    reach: dict[ReachKey, int | None] = {}
    for part in rest:
        listed = _REACH.fullmatch(part)
        if listed is None:
            raise _invalid_cell(doc, text, *keys)
        if listed[1] and listed[1] not in actor_list.actors:
            raise doc.unknown(f"The actor `{listed[1]}` does not exist.", listed[1], actor_list.actors, *keys)
        for item in listed[3].split(", "):
            match = _REACHED.fullmatch(item)
            if match is None or (listed[1] or "", listed[2], match[1]) in reach:
                raise _invalid_cell(doc, text, *keys)
            reach[listed[1] or "", listed[2], match[1]] = int(match[2]) if match[2] else None
    if returned == "void":
        return CallExpectation(text, rows=1, changes=changes, reach=reach)
    if counted := _ROWS.fullmatch(returned):
        return CallExpectation(text, rows=int(counted[1]), changes=changes, reach=reach)
    return CallExpectation(text, value=returned, changes=changes, reach=reach)


def _row_counts(text: str) -> RowCounts:
    numbers = {part[0]: int(part[1:]) for part in text.split()}
    return numbers.get("+", 0), numbers.get("~", 0), numbers.get("-", 0)


def _invalid_cell(doc: Document, text: str, *keys: str) -> AigymError:
    return doc.wrong(f"`{text}` is not a valid cell of a function.", *keys, hint=_HINT)


def _check_placeholders(doc: Document, text: str, actor_list: ActorList, *keys: str) -> None:
    for name in _PLACEHOLDER.findall(text):
        if name not in actor_list.names and name not in actor_list.people:
            raise doc.wrong(
                f"`{{{name}}}` is not a name of actors.toml.",
                *keys,
                hint="Use one of `[names]` or `[people]`.",
            )
