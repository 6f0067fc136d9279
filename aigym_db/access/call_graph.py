"""The functions and relations that a function, a relation or SQL text can reach.

A name in a body counts, also in a string constant; what dynamic SQL writes is not known.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from psycopg.rows import class_row

from aigym_db.database.queries import query

Key = TypeVar("Key")
_EXECUTE = re.compile(r"\bexecute\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """A function or procedure written in SQL or PL/pgSQL."""

    oid: int
    name: str
    signature: str
    language: str
    body: str
    parsed: bool
    """Its body was parsed when it was created (BEGIN ATOMIC, RETURN)."""
    definition: str
    definer: bool
    """SECURITY DEFINER."""
    sets_path: bool
    """It has a `set search_path`."""
    owner: int
    sees_all: bool
    """SECURITY DEFINER with an owner that bypasses policies: they do not apply to its queries."""

    @property
    def is_dynamic(self) -> bool:
        """True if its body contains EXECUTE: the SQL that it executes may not be in its text."""
        return _EXECUTE.search(self.body) is not None


@dataclass(frozen=True, slots=True)
class Written:
    """A relation that is written: its triggers, defaults and constraints are executed."""

    relation: str


Node = int | str | Written
"""A function, by its oid; a relation that is read, by `schema.name`; or one that is written."""


@dataclass(frozen=True, slots=True)
class CallGraph:
    """The functions of a database, and what functions and relations reach directly."""

    functions: Mapping[int, FunctionDefinition]
    edges: Mapping[Node, frozenset[Node]]
    names: Mapping[str, frozenset[Node]]
    """By `schema.name`: the relation, or the functions of that name."""

    def reached(self, nodes: Iterable[Node]) -> set[Node]:
        """Return what these functions and relations reach directly or indirectly, and themselves."""
        return closure(set(nodes), self.edges)

    def named(self, name: str) -> set[int]:
        """Return the functions with this name, `schema.name` or `schema.name(type,type)`."""
        return {
            oid for oid, function in self.functions.items() if name in (function.name, function.signature)
        }

    def mentioned(self, text: str) -> set[Node]:
        """Return the functions and relations whose names an SQL text contains."""
        return {node for name in _qualified_names(text) for node in self.names.get(name, ())}

    def written(self, statements: Iterable[str]) -> set[Node]:
        """Return the relations that INSERT, UPDATE, DELETE and MERGE statements write."""
        return {Written(name) for text in statements for name in _written(text) if name in self.names}

    def executed_by_writes(self, oid: int | None) -> set[str]:
        """Return the relations whose triggers, defaults or constraints execute a function."""
        return {
            node.relation
            for node, reached in self.edges.items()
            if isinstance(node, Written) and oid in reached
        }

    def callers(self, oid: int) -> set[Node]:
        """Return the functions and relations that reach a function directly."""
        return {node for node, reached in self.edges.items() if oid in reached and node != oid}


def read_call_graph(connection: psycopg.Connection[Any]) -> CallGraph:
    """Read the functions and dependencies of a database.

    The `search_path` of the connection must be empty, so that names in definitions are schema-qualified.
    """
    with connection.cursor(row_factory=class_row(FunctionDefinition)) as cursor:
        functions = {
            function.oid: function for function in cursor.execute(query("access/functions").encode())
        }
    names: dict[str, set[Node]] = {}
    for function in functions.values():
        names.setdefault(function.name, set()).add(function.oid)
    edges: dict[Node, frozenset[Node]] = {}
    rows = connection.execute(query("access/relation_dependencies").encode()).fetchall()
    for relation, on_read, on_write, read, cascades in rows:
        names.setdefault(relation, set()).add(relation)
        edges[relation] = frozenset((*on_read, *read))
        edges[Written(relation)] = frozenset(
            (relation, *on_write, *(Written(name) for name in (*read, *cascades)))
        )
    graph = CallGraph(functions, edges, {name: frozenset(nodes) for name, nodes in names.items()})
    for function in functions.values():
        reached = graph.mentioned(function.definition) | graph.written(statements_of(function))
        edges[function.oid] = frozenset(reached - {function.oid})
    return graph


def statements_of(function: FunctionDefinition) -> tuple[str, ...]:
    """Return the statements and expressions of a function as SQL statements."""
    from pglast.parser import ParseError

    from aigym_db.syntax.body import expressions

    if function.language == "sql":
        return (function.body,)
    try:
        return tuple(expression.sql for expression in expressions(function.definition))
    except ParseError:
        return ()


def closure(start: set[Key], edges: Mapping[Key, Collection[Key]]) -> set[Key]:
    """Return everything reachable from `start`, which is included."""
    reached, pending = set(start), list(start)
    while pending:
        for successor in set(edges.get(pending.pop(), ())) - reached:
            reached.add(successor)
            pending.append(successor)
    return reached


def _qualified_names(text: str) -> Iterator[str]:
    """Yield each `schema.name` of a text, also in string constants and in a quoted body."""
    from pglast.parser import ParseError, scan

    try:
        tokens = list(scan(text))
    except ParseError:
        return
    words = [text[token.start : token.end + 1] for token in tokens]
    for index, token in enumerate(tokens):
        if token.name == "SCONST":
            quote = words[index].split("$")[1] if words[index].startswith("$") else ""
            margin = len(quote) + 2 if words[index].startswith("$") else 1
            inside = words[index].lstrip("eEnN")[margin:-margin]
            if "." in inside:
                yield from _qualified_names(inside)
        elif words[index] == "." and 0 < index < len(tokens) - 1 and words[index - 2 : index - 1] != ["."]:
            yield f"{_unquoted(words[index - 1])}.{_unquoted(words[index + 1])}"


def _written(text: str) -> Iterator[str]:
    """Yield the relation of each statement that writes."""
    from pglast import parse_sql
    from pglast.parser import ParseError

    from aigym_db.syntax.tree import ast, nodes

    try:
        trees = tuple(raw.stmt for raw in parse_sql(text))
    except ParseError:
        return
    for node in nodes(trees):
        if isinstance(node, (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)):
            yield f"{node.relation.schemaname}.{node.relation.relname}"


def _unquoted(word: str) -> str:
    return word[1:-1].replace('""', '"') if word.startswith('"') else word.lower()
