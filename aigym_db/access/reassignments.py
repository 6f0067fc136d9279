"""Reassignments: UPDATEs that change the owner or tenant of a row, and which of them the matrix allows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from aigym_db.access.cell_classes import class_changes
from aigym_db.access.matching import current_rows, matching_rows
from aigym_db.access.matrix import AccessMatrix, predicate
from aigym_db.access.matrix_files import TableMatrix
from aigym_db.access.tables import Table
from aigym_db.database.migration_session import Connection
from aigym_db.syntax.quote import literal

NO_OWNER = None
"""The value for a row without owner or tenant."""


@dataclass(frozen=True, slots=True)
class Reassignment:
    """A row, and another owner or tenant for it."""

    key: str
    column: str
    target: str | None

    def __str__(self) -> str:
        return f"{self.key} to {self.column} = {self.target or 'null'}"


@dataclass(frozen=True, slots=True)
class Reassignments:
    """The reassignments tried on a table, and those that the matrix allows."""

    targets: tuple[tuple[str, str | None], ...]
    """(column, value)."""
    allowed: Mapping[str, frozenset[Reassignment]]
    """Per actor, the allowed reassignments."""
    visible_after: Mapping[str, frozenset[Reassignment]]
    """Per actor, the reassignments after which the actor can still select the row."""


def find_reassignments(
    connection: Connection,
    matrix: AccessMatrix,
    table_matrix: TableMatrix,
    table: Table,
    reassigning: Collection[str],
) -> Reassignments:
    """Evaluate the `reassign` cells of a table on its rows.

    `reassigning` lists the actors with such a cell. Raise BadAccessMatrix (AIG-P012) with the cell's place if
    PostgreSQL rejects a row class.
    """
    targets = {
        column: _targets(table, column, name, matrix) for column, name in table_matrix.reassignments.items()
    }
    allowed: dict[str, set[Reassignment]] = {actor: set() for actor in matrix.actors}
    visible_after: dict[str, set[Reassignment]] = {actor: set() for actor in matrix.actors}
    for column in targets if reassigning else ():
        before, after = _steps(matrix, table_matrix, column, reassigning)
        rows_before = matching_rows(connection, current_rows(table), before, table_matrix, matrix)
        changed = _changed_rows(table, column, targets[column])
        for (actor, step), rows_after in matching_rows(
            connection, changed, after, table_matrix, matrix
        ).items():
            matching_after = {Reassignment(key, column, target) for key, target in rows_after}
            if step == "select":
                visible_after[actor] |= matching_after
            else:
                keys_before = {key for key, _ in rows_before[actor, step]}
                allowed[actor] |= {
                    reassignment for reassignment in matching_after if reassignment.key in keys_before
                }
    return Reassignments(
        tuple((column, value) for column, values in targets.items() for value in values),
        {actor: frozenset(reassignments) for actor, reassignments in allowed.items()},
        {actor: frozenset(reassignments) for actor, reassignments in visible_after.items()},
    )


def _steps(
    matrix: AccessMatrix, table_matrix: TableMatrix, column: str, reassigning: Collection[str]
) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], str]]:
    """The conditions before and after a reassignment of this column, including those of SELECT after it."""
    before: dict[tuple[str, str], str] = {}
    after: dict[tuple[str, str], str] = {}
    for name in reassigning:
        actor = matrix.actors[name]
        for number, (old, new) in enumerate(
            class_changes(table_matrix.cells[name, "reassign"].classes, column)
        ):
            before[name, str(number)] = predicate(table_matrix, old, actor)
            after[name, str(number)] = predicate(table_matrix, new, actor)
        after[name, "select"] = predicate(table_matrix, table_matrix.cells[name, "select"].classes, actor)
    return before, after


def _targets(table: Table, column: str, name: str, matrix: AccessMatrix) -> list[str | None]:
    """The values of all actors for the name, or the fixture value; NULL if the column allows it."""
    values: set[str] = set()
    given = matrix.actor_list.people.get(name)
    for value in (given,) if given is not None else (actor.names[name] for actor in matrix.actors.values()):
        values.update(map(str, value if isinstance(value, tuple) else () if value is None else (value,)))
    return [*sorted(values), *(() if table.columns[column].required else (NO_OWNER,))]


def _changed_rows(table: Table, column: str, targets: list[str | None]) -> str:
    """The FROM item that returns the rows with each other value of the column."""
    changed = ", ".join(
        f"aigym_target::{item.type} as {item.quoted}" if item.name == column else f"of_table.{item.quoted}"
        for item in table.columns.values()
    )
    values = ", ".join(map(literal, targets))
    return (
        f"(select aigym_key, aigym_target, {changed} "
        f"from (select {table.key_sql} as aigym_key, * from {table.quoted}) as of_table "
        f"cross join unnest(array[{values}]::text[]) as targets (aigym_target) "
        f"where of_table.{table.columns[column].quoted}::text is distinct from aigym_target) as {table.alias}"
    )
