"""What policies depend on besides their row: the functions they call, and the tables that both read.

A write can change what an actor reaches in other rows only if it changes one of these tables.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import psycopg

from aigym_db.access.mutations import AccessRules
from aigym_db.access.tables import Table
from aigym_db.database.queries import query

Node = TypeVar("Node")
_NAME = re.compile(r"(?<![\w.])\w+\.\w+(?!\w)")
_DYNAMIC = re.compile(r"\bexecute\b", re.IGNORECASE)

Call = tuple[str, tuple[str, ...]]
"""The name of a function and the constants that are its arguments."""


@dataclass(frozen=True, slots=True)
class PolicyInputs:
    """The functions and tables that policies read."""

    held: Mapping[str, tuple[str, ...]]
    """The tables that functions read, each with the columns that their bodies name."""
    direct: frozenset[str]
    """The tables that policies read themselves, or through a function whose arguments depend on the row."""
    calls: Mapping[Call, str]
    """The calls with constant arguments, and their SQL."""
    functions: frozenset[str]
    """The names of the functions that policies call."""

    @property
    def tables(self) -> frozenset[str]:
        """All tables that policies read, also through functions."""
        return self.direct | self.held.keys()

    @property
    def digest(self) -> str:
        """A digest of the contents."""
        contents = (
            sorted(self.held.items()),
            sorted(self.direct),
            sorted(self.calls.items()),
        )
        return hashlib.sha256(repr(contents).encode()).hexdigest()


def policy_inputs(rules: AccessRules, tables: Mapping[str, Table]) -> PolicyInputs:
    """Return what the policies of a database depend on."""
    by_name: dict[str, set[int]] = {}
    for oid, function in rules.functions.items():
        by_name.setdefault(function.name, set()).add(oid)
    texts = {text for policy in rules.policies for text in (policy.using, policy.check) if text}
    calls: dict[Call, str] = {}
    called: set[int] = set()
    dependent: set[int] = set()
    for name, arguments, sql in sorted({call for text in texts for call in _function_calls(text)}, key=repr):
        oids = by_name.get(name, set())
        called |= oids
        if arguments is None:
            dependent |= oids
        elif oids:
            calls.setdefault((name, arguments), sql)
    bodies = [rules.functions[oid].body for oid in _reachable(called, rules.calls)]
    direct = {name for policy in rules.policies for name in policy.reads if name in tables}
    direct |= _read_by(rules, tables, dependent)
    held: dict[str, tuple[str, ...]] = {}
    for name in sorted({name for body in bodies for name in _named(body, tables)}):
        words = {word for body in bodies if name in body for word in re.findall(r"\w+", body)}
        held[name] = tuple(column for column in tables[name].columns if column in words)
    names = frozenset(rules.functions[oid].name for oid in called)
    return PolicyInputs(held, frozenset(direct), calls, names)


def tables_read(
    rules: AccessRules, functions: Collection[str], tables: Mapping[str, Table]
) -> frozenset[str]:
    """Return the tables that `functions` read, `schema.name` or with a signature, and those they call."""
    names = {name.partition("(")[0] for name in functions}
    oids = {oid for oid, function in rules.functions.items() if function.name in names}
    return _read_by(rules, tables, oids)


def effective_commands(
    connection: psycopg.Connection, rules: AccessRules, tables: Mapping[str, Table], targets: Iterable[str]
) -> frozenset[tuple[str, str]]:
    """Return the commands that can change `targets`, as (table; insert, update or delete).

    Triggers and foreign keys can change other tables than that of the command. A trigger whose function
    executes dynamic SQL is assumed to change them.
    """
    wanted = frozenset(targets)
    changes: dict[tuple[str, str], set[str]] = {}
    for table, command, function, other in connection.execute(query("access/write_effects").encode()):
        changed = changes.setdefault((table, command), set())
        if other is not None:
            changed.add(other)
            continue
        for oid in _reachable({int(function)}, rules.calls):
            if oid in rules.functions:
                body = rules.functions[oid].body
                changed |= wanted if _DYNAMIC.search(body) else _named(body, tables)
    by_table: dict[str, set[str]] = {}
    for (table, _), changed in changes.items():
        by_table.setdefault(table, set()).update(changed)
    reached = {name: _reachable(changed, by_table) for name, changed in changes.items()}
    own = {(table, command) for table in wanted for command in ("insert", "update", "delete")}
    return frozenset(own).union(name for name, changed in reached.items() if not wanted.isdisjoint(changed))


def constant_calls(text: str) -> frozenset[Call]:
    """Return the calls of functions with constant arguments in an SQL expression."""
    return frozenset(
        (name, arguments) for name, arguments, _ in _function_calls(text) if arguments is not None
    )


def _function_calls(text: str) -> Iterator[tuple[str, tuple[str, ...] | None, str]]:
    """Yield name, arguments and SQL of each call in an expression.

    The arguments are None unless all of them are constants.
    """
    from pglast import ast, parse_sql
    from pglast.stream import RawStream
    from pglast.visitors import Visitor

    calls: list[ast.FuncCall] = []

    class Calls(Visitor):
        def visit_FuncCall(self, _: object, node: ast.FuncCall) -> None:  # noqa: N802
            calls.append(node)

    Calls()(parse_sql(f"select {text}"))
    for node in calls:
        constants = [_constant(argument) for argument in node.args or ()]
        known = tuple(constant for constant in constants if constant is not None)
        name = ".".join(part.sval for part in node.funcname or ())
        yield name, known if len(known) == len(constants) else None, RawStream()(node)


def _read_by(rules: AccessRules, tables: Mapping[str, Table], oids: Iterable[int]) -> frozenset[str]:
    """Return the tables that functions and those they call read."""
    return frozenset(
        name for oid in _reachable(oids, rules.calls) for name in _named(rules.functions[oid].body, tables)
    )


def _constant(node: object) -> str | None:
    from pglast import ast

    while isinstance(node, ast.TypeCast):
        node = node.arg
    if not isinstance(node, ast.A_Const):
        return None
    value = node.val
    return "" if value is None else str(getattr(value, "sval", value))


def _named(body: str, tables: Mapping[str, Table]) -> set[str]:
    return {name for name in _NAME.findall(body) if name in tables}


def _reachable(start: Iterable[Node], edges: Mapping[Node, set[Node]]) -> set[Node]:
    reached = set(start)
    pending: Sequence[Node] = list(reached)
    while pending:
        pending = [node for known in pending for node in edges.get(known, set()) if node not in reached]
        reached.update(pending)
    return reached
