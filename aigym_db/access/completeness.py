"""Compare the access matrix with the tables, columns and roles of the database."""

from __future__ import annotations

from collections.abc import Mapping

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


def _beside(matrix: AccessMatrix, file: str) -> Place:
    """The place of the last table in a file."""
    places = [
        table_matrix.place for table_matrix in matrix.tables.values() if table_matrix.place.file == file
    ]
    return places[-1] if places else Place(file, 1, 1)


def _plural(names: list[str]) -> str:
    return "s have" if len(names) > 1 else " has"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
