"""Columns in which an actor can name another person.

In tables that functions read, actors try to name another person in columns that reference people and are not
the owner of the row: a function could act in the name of that person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from aigym_db.access import statements
from aigym_db.access.attempts import AttemptStatement
from aigym_db.access.mutations import AccessRules
from aigym_db.access.policy_inputs import tables_read
from aigym_db.access.reach import Reach, owner_columns
from aigym_db.access.trial import Trial
from aigym_db.access.writes import Write, run_writes, with_value
from aigym_db.database.queries import query
from aigym_db.model.access import Actor, Cell
from aigym_db.syntax.quote import literal


def named_persons(
    trial: Trial,
    rules: AccessRules,
    reach: Reach,
    permitted: Mapping[Cell, Sequence[AttemptStatement]],
) -> Mapping[Cell, Mapping[str, str]]:
    """Return by cell the columns in which its writes can name another person, each with the write."""
    columns = _person_columns(trial, tables_read(rules, trial.functions, trial.tables))
    writes = [
        write
        for cell, permitted_of_cell in permitted.items()
        for write in _naming(trial, cell, permitted_of_cell, columns.get(cell.table, ()))
    ]
    named: dict[Cell, dict[str, str]] = {}
    for write, _ in run_writes(trial, reach, writes):
        named.setdefault(write.cell, {})[write.column] = write.statements[0].body
    return named


def _naming(
    trial: Trial, cell: Cell, writes: Sequence[AttemptStatement], columns: Iterable[str]
) -> Iterator[Write]:
    """Yield for each column one write that names another person in it, if the role has the privilege."""
    actor, table = trial.matrix.actors[cell.actor], trial.tables[cell.table]
    person = _another(trial, actor)
    grants = table.grants[actor.role]
    for column in columns if person else ():
        quoted = table.columns[column].quoted
        named = (
            f"select exists (select from {table.quoted} "
            f"where {statements.written_condition()} and {quoted}::text = {literal(person)})"
        )
        if cell.command == "insert" and column in grants.inserts:
            row = next(row for row in trial.fixtures[cell.table].rows if row.key in (writes[0].success or ()))
            body = statements.insert_row(table, with_value(table, row, column, person), grants.inserts)
            yield Write(cell, (replace(writes[0], body=body),), column, named)
        if cell.command == "update" and column in grants.updates:
            body = statements.reassign(table, column, person)
            yield Write(cell, (replace(writes[0], body=body),), column, named)


def _another(trial: Trial, actor: Actor) -> str | None:
    """Return a person other than the actor: the value of another actor for the name of an owner column."""
    names = {name for _, _, name in owner_columns(trial.matrix)}
    own = {actor.names.get(name) for name in names}
    others = (other.names.get(name) for other in trial.matrix.actors.values() for name in sorted(names))
    return next((str(value) for value in others if value is not None and value not in own), None)


def _person_columns(trial: Trial, read: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the columns that reference people and are not the owner of their row, of the tables in `read`.

    People are the rows of the tables that owner columns reference.
    """
    references = {
        (table, column): other
        for table, column, other in trial.connections[0].execute(query("access/references").encode())
    }
    owners = {(table, column) for table, column, _ in owner_columns(trial.matrix)}
    people = {references[owner] for owner in owners if owner in references}
    columns: dict[str, tuple[str, ...]] = {}
    for (table, column), other in references.items():
        if table in read and table in trial.tables and other in people and (table, column) not in owners:
            columns[table] = (*columns.get(table, ()), column)
    return columns
