"""What policies depend on besides their row: the functions they call, and the tables that both read.

A write can change what an actor reaches in other rows only if it changes one of these tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
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

    @property
    def tables(self) -> frozenset[str]:
        """All tables that policies read, also through functions."""
        return self.direct | self.held.keys()


def policy_inputs(rules: AccessRules, tables: Mapping[str, Table]) -> PolicyInputs:
    """Return what the policies of a database depend on."""
    by_name: dict[str, set[int]] = {}
    for oid, function in rules.functions.items():
        by_name.setdefault(function.name, set()).add(oid)
    texts = {text for policy in rules.policies for text in (policy.using, policy.check) if text}
    calls: dict[Call, str] = {}
    called: set[int] = set()
    dependent: set[int] = set()
    for name, arguments, sql in (call for text in sorted(texts) for call in _function_calls(text)):
        called |= by_name.get(name, set())
        if arguments is None:
            dependent |= by_name.get(name, set())
        elif name in by_name:
            calls.setdefault((name, arguments), sql)
    bodies = [rules.functions[oid].body for oid in _reachable(called, rules.calls)]
    direct = {name for policy in rules.policies for name in policy.reads if name in tables}
    for oid in _reachable(dependent, rules.calls):
        direct.update(_named(rules.functions[oid].body, tables))
    held: dict[str, tuple[str, ...]] = {}
    for name in sorted({name for body in bodies for name in _named(body, tables)}):
        words = {word for body in bodies if name in body for word in re.findall(r"\w+", body)}
        held[name] = tuple(column for column in tables[name].columns if column in words)
    return PolicyInputs(held, frozenset(direct), calls)


def tables_with_effects(
    connection: psycopg.Connection, rules: AccessRules, tables: Mapping[str, Table], targets: Iterable[str]
) -> frozenset[str]:
    """Return the tables of which a write can change one of `targets`, also by triggers and foreign keys.

    A trigger whose function executes dynamic SQL is assumed to change them.
    """
    wanted = frozenset(targets)
    writers: dict[str, set[str]] = {name: set() for name in tables}
    for table, function, other in connection.execute(query("access/write_effects").encode()):
        if other is not None:
            writers.setdefault(table, set()).add(other)
            continue
        for oid in _reachable([function], rules.calls):
            if oid not in rules.functions:
                continue
            body = rules.functions[oid].body
            writers.setdefault(table, set()).update(wanted if _DYNAMIC.search(body) else _named(body, tables))
    changed = {name: _reachable([name], writers) for name in tables}
    return frozenset(name for name in tables if not wanted.isdisjoint(changed[name]))


def _function_calls(text: str) -> Iterator[tuple[str, tuple[str, ...] | None, str]]:
    """Yield name, arguments (None unless all are constants) and SQL of each call in an expression."""
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


def _constant(node: object) -> str | None:
    from pglast import ast

    while isinstance(node, ast.TypeCast):
        node = node.arg
    if not isinstance(node, ast.A_Const):
        return None
    value = node.val
    return "" if value is None else str(getattr(value, "sval", value))


def constant_call(statement: str) -> Call | None:
    """Return name and arguments of the call of a function with constant arguments; None for another."""
    for name, arguments, _ in _function_calls(statement):
        return None if arguments is None else (name, arguments)
    return None


def _named(body: str, tables: Mapping[str, Table]) -> set[str]:
    return {name for name in _NAME.findall(body) if name in tables}


def _reachable(start: Iterable[Node], edges: Mapping[Node, set[Node]]) -> set[Node]:
    reached = set(start)
    pending: Sequence[Node] = list(reached)
    while pending:
        pending = [node for known in pending for node in edges.get(known, set()) if node not in reached]
        reached.update(pending)
    return reached
