"""What policies depend on besides their row: the functions they call, and the tables that both read.

A write can change what an actor reaches in other rows only if it changes one of these tables.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from aigym_db.access.call_graph import Node, Written, closure
from aigym_db.access.mutations import AccessRules
from aigym_db.access.tables import Table
from aigym_db.database.queries import query
from aigym_db.syntax.tree import ast, is_a, nodes, words

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
    texts = {text for policy in rules.policies for text in (policy.using, policy.check) if text}
    calls: dict[Call, str] = {}
    called: set[int] = set()
    dependent: set[int] = set()
    for name, arguments, sql in sorted({call for text in texts for call in _function_calls(text)}, key=repr):
        oids = rules.graph.named(name)
        called |= oids
        if arguments is None:
            dependent |= oids
        elif oids:
            calls.setdefault((name, arguments), sql)
    direct = _read_by(rules, tables, [name for policy in rules.policies for name in policy.reads])
    direct |= _read_by(rules, tables, dependent)
    words: dict[str, set[str]] = {}
    for oid in closure(called, rules.calls):
        for name in _tables(rules.graph.edges[oid], tables):
            words.setdefault(name, set()).update(re.findall(r"\w+", rules.functions[oid].definition))
    held = {
        name: tuple(column for column in tables[name].columns if column in words[name])
        for name in sorted(words)
    }
    names = frozenset(rules.functions[oid].name for oid in called)
    return PolicyInputs(held, direct, calls, names)


def tables_read(
    rules: AccessRules, functions: Collection[str], tables: Mapping[str, Table]
) -> frozenset[str]:
    """Return the tables that `functions` read, `schema.name` or with a signature, and those they call."""
    oids = {oid for name in functions for oid in rules.graph.named(name.partition("(")[0])}
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
        for oid in closure({int(function)}, rules.calls):
            if oid in rules.functions:
                definition = rules.functions[oid]
                changed |= wanted if definition.is_dynamic else _tables(rules.graph.edges[oid], tables)
    by_table: dict[str, set[str]] = {}
    for (table, _), changed in changes.items():
        by_table.setdefault(table, set()).update(changed)
    reached = {name: closure(changed, by_table) for name, changed in changes.items()}
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
    from pglast import parse_sql
    from pglast.stream import RawStream

    for node in nodes(parse_sql(f"select {text}")):
        if not is_a(node, ast.FuncCall):
            continue
        constants = [_constant(argument) for argument in node.args or ()]
        known = tuple(constant for constant in constants if constant is not None)
        name = ".".join(words(node.funcname))
        yield name, known if len(known) == len(constants) else None, RawStream()(node)


def _read_by(rules: AccessRules, tables: Mapping[str, Table], nodes: Iterable[Node]) -> frozenset[str]:
    """Return the tables that functions and relations name, directly or through other functions and views."""
    followed: dict[Node, Collection[Node]] = {
        node: named
        for node, named in rules.graph.edges.items()
        if not isinstance(node, Written) and node not in tables
    }
    return _tables(closure(set(nodes), followed), tables)


def _constant(node: Any) -> str | None:
    """Return the text of a constant, also one that is cast; None for any other expression."""
    while is_a(node, ast.TypeCast):
        node = node.arg
    if not is_a(node, ast.A_Const):
        return None
    value = node.val
    return "" if value is None else str(getattr(value, "sval", value))


def _tables(nodes: Iterable[Node], tables: Mapping[str, Table]) -> frozenset[str]:
    """Return the tables among relations that are read or written."""
    named = {node.relation if isinstance(node, Written) else node for node in nodes}
    return frozenset(name for name in named if isinstance(name, str) and name in tables)
