"""The functions that the roles of the actors can execute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from aigym_db.access.matrix import AccessMatrix
from aigym_db.database.queries import query


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
            quoted, returns_set, procedure, read_only, frozenset(callers)
        )
        for name, signature, quoted, returns_set, procedure, read_only, callers in rows
    }
