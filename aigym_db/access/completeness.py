"""Compare the access matrix with the tables, columns, functions and roles of the database."""

from __future__ import annotations

from collections.abc import Mapping

from aigym_db.access.functions import CallableFunction
from aigym_db.access.matrix import AccessMatrix
from aigym_db.access.tables import Table
from aigym_db.errors import BadAccessMatrix
from aigym_db.model.source import Place
from aigym_db.model.wording import similar


def check_completeness(matrix: AccessMatrix, tables: Mapping[str, Table]) -> None:
    """Raise BadAccessMatrix (AIG-P012) if a table has no cells, or a table, column or role does not exist.

    `tables` are those of the database, by `schema.table`. Tables in the schemas of `outside` need no cells.
    """
    for name, table_matrix in matrix.tables.items():
        if name not in tables:
            near = similar(name, tables)
            raise BadAccessMatrix(
                f"The access matrix contains {name}, but the database has no such table.",
                place=table_matrix.place,
                hint=f"Write {near[0]}." if near else "Remove its cells.",
            )
        for column in table_matrix.reassignments:
            if column not in tables[name].columns:
                raise BadAccessMatrix(
                    f"`reassignments` of {name} contains a column `{column}` that the table does not have.",
                    place=table_matrix.place,
                    hint=f"Use one of: {', '.join(tables[name].columns)}.",
                )
    missing = [
        name
        for name in tables
        if name not in matrix.tables and name.partition(".")[0] not in matrix.actor_list.outside
    ]
    if missing:
        raise BadAccessMatrix(
            f"{len(missing)} table{_plural(missing)} no access cells: {_listed(missing)}.",
            place=_beside(matrix, f"policies/{missing[0].partition('.')[0]}.access.toml"),
            hint="Add a row of cells for each actor; list foreign schemas in `outside`.",
        )
    granted = {role for table in tables.values() for role in table.grants}
    for actor in matrix.actors.values():
        if tables and actor.role not in granted:
            raise BadAccessMatrix(
                f"The actor `{actor.name}` has a role {actor.role} that does not exist on the server.",
                place=matrix.actor_list.place(actor.name),
                hint="Correct the role, or create it in a migration.",
            )


def check_functions(matrix: AccessMatrix, functions: Mapping[str, CallableFunction]) -> None:
    """Raise BadAccessMatrix (AIG-P012) if a callable function has no calls, or a function is not callable.

    `functions` are those that the roles of the actors can execute. A function that only passes its arguments
    to another, as its caller, needs no calls of its own.
    """
    for name, function_matrix in matrix.functions.items():
        if name not in functions:
            near = similar(name, functions)
            raise BadAccessMatrix(
                f"The access matrix contains calls of {name}, but no actor can execute such a function.",
                place=function_matrix.place,
                hint=f"Write {near[0]}." if near else "Remove its calls, or grant EXECUTE on it.",
            )
    missing = [
        name
        for name, function in functions.items()
        if name not in matrix.functions and function.wraps not in matrix.functions
    ]
    if missing:
        raise BadAccessMatrix(
            f"{len(missing)} function{_plural(missing)} no calls: {_listed(missing)}.",
            place=_beside(matrix, f"policies/{missing[0].partition('.')[0]}.access.toml", functions=True),
            hint=f'Add `[functions."{missing[0]}".calls]` and `.access`, or revoke EXECUTE from PUBLIC.',
        )


def _beside(matrix: AccessMatrix, file: str, *, functions: bool = False) -> Place:
    """The place of the last table in a file, or of the last function if there is one."""
    places = [entry.place for entry in matrix.tables.values() if entry.place.file == file]
    if functions:
        places += [entry.place for entry in matrix.functions.values() if entry.place.file == file]
    return places[-1] if places else Place(file, 1, 1)


def _plural(names: list[str]) -> str:
    return "s have" if len(names) > 1 else " has"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
