"""The functions that the roles of the actors can execute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from pglast.parser import ParseError, parse_sql

from aigym_db.access.matrix import AccessMatrix
from aigym_db.database.queries import query
from aigym_db.syntax.quote import quoted
from aigym_db.syntax.tree import ast, nodes, words


@dataclass(frozen=True, slots=True)
class CallableFunction:
    """A function or procedure that the role of an actor can execute: EXECUTE on it, USAGE on its schema."""

    quoted: str
    returns_set: bool
    procedure: bool
    read_only: bool
    """It is not VOLATILE, and returns a value."""
    roles: frozenset[str]
    """The roles of actors that can execute it."""
    wraps: str | None = None
    """The function that it calls with its own arguments, as its caller, and nothing else; None otherwise."""


def callable_functions(
    connection: psycopg.Connection[tuple[Any, ...]], matrix: AccessMatrix
) -> Mapping[str, CallableFunction]:
    """Return the functions by `schema.name`; those of which there are several, by `schema.name(type,type)`.

    Trigger functions and functions of extensions are not included, nor those in schemas of `outside`.
    `search_path` must be empty.
    """
    roles = sorted({actor.role for actor in matrix.actors.values()})
    rows = connection.execute(
        query("access/callable_functions").encode(),
        {"roles": roles, "outside": list(matrix.actor_list.outside)},
    ).fetchall()
    names = Counter(name for name, *_ in rows)
    return {
        (name if names[name] == 1 else signature): CallableFunction(
            quoted, returns_set, procedure, read_only, frozenset(callers), wrapped(body, arguments)
        )
        for name, signature, quoted, returns_set, procedure, read_only, callers, body, arguments in rows
    }


def wrapped(body: str | None, arguments: Sequence[str]) -> str | None:
    """Return the qualified name of the function that a body in SQL only passes its arguments to.

    That is `select f(a, b)` or `select * from f(a, b)`, with every argument in order. Return None for any
    other body.
    """
    try:
        statements = parse_sql(body or "")
    except ParseError:
        return None
    calls = [node for node in nodes(statements) if isinstance(node, ast.FuncCall)]
    if len(statements) != 1 or len(calls) != 1:
        return None
    name = ".".join(words(calls[0].funcname))
    call = f"{'.'.join(map(quoted, words(calls[0].funcname)))}({', '.join(map(quoted, arguments))})"
    same = (parse_sql(text)[0].stmt for text in (f"select {call}", f"select * from {call}"))
    return name if statements[0].stmt in same else None
