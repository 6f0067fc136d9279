"""The access matrix: actors, and the rows that each is expected to reach."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aigym_db.access.actors import ActorList, read_actors
from aigym_db.access.function_files import FunctionMatrix
from aigym_db.access.matrix_files import TableMatrix, read_matrix_files
from aigym_db.model.access import Actor, CallCell, Cell
from aigym_db.syntax.quote import literal

_NAME = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class AccessMatrix:
    """The contents of `policies/actors.toml` and `policies/*.access.toml`."""

    actor_list: ActorList
    tables: Mapping[str, TableMatrix]
    """By table, `schema.table`."""
    functions: Mapping[str, FunctionMatrix]
    """By function, `schema.name` or `schema.name(type,type)`."""

    @property
    def actors(self) -> Mapping[str, Actor]:
        """The actors by name."""
        return self.actor_list.actors

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells of all tables."""
        return tuple(cell for table_matrix in self.tables.values() for cell in table_matrix.cells.values())

    @property
    def call_cells(self) -> tuple[CallCell, ...]:
        """The cells of all functions."""
        return tuple(cell for function in self.functions.values() for cell in function.cells.values())


def read_matrix(root: Path) -> AccessMatrix:
    """Read the access matrix of the project at `root`.

    Raise BadAccessMatrix (AIG-P012) with file and line if it is incomplete or inconsistent.
    """
    actor_list = read_actors(root)
    tables, functions = read_matrix_files(root, actor_list)
    return AccessMatrix(
        actor_list,
        {table_matrix.table: table_matrix for table_matrix in tables},
        {function_matrix.function: function_matrix for function_matrix in functions},
    )


def predicate(table_matrix: TableMatrix, classes: tuple[str, ...], actor: Actor) -> str:
    """Return the SQL condition that is true for rows of these classes, with the values of the actor.

    It is `false` without classes and `true` for the class `all`.
    """
    if not classes:
        return "false"
    return " or ".join(
        "true" if name == "all" else f"({_with_values(table_matrix.rows[name], actor)})" for name in classes
    )


def _with_values(text: str, actor: Actor) -> str:
    return _NAME.sub(lambda match: literal(actor.names[match[1]]), text)
