"""Reassignments: UPDATEs that change the owner or tenant of a row, and which of them the matrix allows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from aigym_db.access.matching import Connection, as_it_is, matching
from aigym_db.access.matrix import AccessMatrix, predicate
from aigym_db.access.matrix_files import TableMatrix, steps
from aigym_db.access.tables import Table
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
    """What is tried on a table, and what may come of it."""

    targets: tuple[tuple[str, str | None], ...]
    """(column, value)."""
    allowed: Mapping[str, frozenset[Reassignment]]
    """Per actor, the allowed reassignments."""
    visible_after: Mapping[str, frozenset[Reassignment]]
    """Per actor, the reassignments after which it can still select the row."""


def find_reassignments(
    connection: Connection,
    matrix: AccessMatrix,
    table_matrix: TableMatrix,
    table: Table,
    reassigning: Collection[str],
) -> Reassignments:
    """The moves of a table; only those with an answer for move (`reassigning`) are allowed any."""
    targets = {
        column: _targets(table, column, name, matrix) for column, name in table_matrix.reassignments.items()
    }
    allowed: dict[str, set[Reassignment]] = {actor: set() for actor in matrix.actors}
    visible_after: dict[str, set[Reassignment]] = {actor: set() for actor in matrix.actors}
    for column in targets if reassigning else ():
        before, after = _steps(matrix, table_matrix, column, reassigning)
        stand = matching(connection, as_it_is(table), before, table_matrix, matrix)
        moved = _moved(table, column, targets[column])
        for (actor, step), found in matching(connection, moved, after, table_matrix, matrix).items():
            arrived = {Reassignment(key, column, target) for key, target in found}
            if step == "select":
                visible_after[actor] |= arrived
            else:
                stood = {key for key, _ in stand[actor, step]}
                allowed[actor] |= {move for move in arrived if move.key in stood}
    return Reassignments(
        tuple((column, value) for column, values in targets.items() for value in values),
        {actor: frozenset(found) for actor, found in allowed.items()},
        {actor: frozenset(found) for actor, found in visible_after.items()},
    )


def _steps(
    matrix: AccessMatrix, table_matrix: TableMatrix, column: str, reassigning: Collection[str]
) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], str]]:
    """What must hold before and after a move of this column; after it also what the actor sees."""
    before: dict[tuple[str, str], str] = {}
    after: dict[tuple[str, str], str] = {}
    for name in reassigning:
        actor = matrix.actors[name]
        for number, (old, new) in enumerate(steps(table_matrix.cells[name, "reassign"].classes, column)):
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


def _moved(table: Table, column: str, targets: list[str | None]) -> str:
    """The table's rows as they would be after each move to somewhere they are not."""
    changed = ", ".join(
        f"aigym_target::{one.type} as {one.quoted}" if one.name == column else f"of_table.{one.quoted}"
        for one in table.columns.values()
    )
    values = ", ".join(map(literal, targets))
    return (
        f"(select aigym_key, aigym_target, {changed} "
        f"from (select {table.key_sql} as aigym_key, * from {table.quoted}) as of_table "
        f"cross join unnest(array[{values}]::text[]) as aim (aigym_target) "
        f"where of_table.{table.columns[column].quoted}::text is distinct from aigym_target) as {table.alias}"
    )
