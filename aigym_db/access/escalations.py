"""Escalations by writes: what actors reach after a write that the access matrix permits them.

Each write is repeated with triggers, and the reach of the actor is read again; what it gains is an
escalation. Only writes are repeated that can change a table which policies read, also through functions. The
rows that an actor can insert into a table are inserted together, and one by one only if it gains something or
an error is raised. In tables that functions of policies read, the columns that they name are also set to the
values of the fixture: in rows that the actor can update, and in its own rows that it can insert. A column
that is the key alone is not, since the fixture contains a row with each of its values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from aigym_db.access import statements
from aigym_db.access.attempts import AttemptStatement
from aigym_db.access.fixture import writable
from aigym_db.access.mutations import read_access_rules
from aigym_db.access.named_persons import named_persons
from aigym_db.access.outcomes import AttemptResult
from aigym_db.access.policy_inputs import PolicyInputs, effective_commands, policy_inputs
from aigym_db.access.reach import Reach, owner_columns, reach
from aigym_db.access.reach_counts import listed_reach
from aigym_db.access.tables import tables
from aigym_db.access.trial import Trial
from aigym_db.access.writes import Changes, Write, permitted_writes, run_writes, with_value
from aigym_db.database.migration_session import Connection
from aigym_db.model.access import Cell, Command, ReachKey
from aigym_db.model.finding import Finding

_VALUES = 8
"""Maximum number of values to which a column is set."""
_COMMANDS: Mapping[Command, str] = {
    "insert": "insert",
    "update": "update",
    "reassign": "update",
    "delete": "delete",
}


@dataclass(frozen=True, slots=True)
class Escalations:
    """What actors gain by the writes that the access matrix permits them."""

    findings: tuple[Finding, ...]
    """Per cell, one (ACC08) if its writes gain other than its `gains`, and one (ACC09) per column in which
    another person can be named."""
    compared: frozenset[tuple[str, ...]]
    """Table and actor of the writes whose result depends on the policies of other tables, too."""


def escalations(trial: Trial, results: Iterable[AttemptResult], reach_: Reach | None = None) -> Escalations:
    """Repeat the permitted writes, and return what actors gain by them.

    `results` are those of `trial.run()`, `reach_` is that of the functions of the trial, which is determined
    if it is not given. Each connection must be to its own clone; triggers fire.
    """
    reach_ = reach_ or reach(trial.connections[0], trial.matrix, trial.functions)
    rules, inputs = reach_.rules, reach_.inputs
    effective = effective_commands(trial.connections[0], rules, trial.tables, inputs.tables)
    permitted = permitted_writes(trial, reach_, results)
    writes = [
        Write(cell, group)
        for cell, writes_of_cell in permitted.items()
        if (cell.table, _COMMANDS[cell.command]) in effective
        for group in (*_groups(cell, writes_of_cell), *_variants(trial, inputs, cell, writes_of_cell))
    ]
    compared = [*run_writes(trial, reach_, writes)]
    gains = _gains(trial, reach_, compared)
    named = named_persons(trial, rules, reach_, permitted)
    findings: list[Finding] = []
    for cell in (cell for name in trial.fixtures for cell in trial.matrix.tables[name].cells.values()):
        findings += _findings(cell, gains.get(cell, {}), named.get(cell, {}))
    tables_and_actors = {
        (cell.table, cell.actor) for cell in (*named, *(write.cell for write, _ in compared))
    }
    return Escalations(tuple(findings), frozenset(tables_and_actors))


def _findings(
    cell: Cell, gains: Mapping[ReachKey, tuple[int, str]], named: Mapping[str, str]
) -> Iterator[Finding]:
    """Yield the findings about what the writes of a cell gain and whom they name, unless it is listed."""
    unlisted = {key: gain for key, gain in gains.items() if key[2] not in cell.gains}
    missing = cell.gains - {name for _, _, name in gains} - {f"({column})" for column in named}
    if unlisted or missing:
        yield Finding(
            "access-escalates",
            "ACC08",
            "error",
            f"{cell} {_described(unlisted) or 'does not gain ' + ', '.join(sorted(missing))}.",
            cell.place,
            "Revoke the privilege, restrict the policy, or list under `gains` what the actor may gain.",
        )
    for column, statement in named.items():
        if f"({column})" not in cell.gains:
            yield Finding(
                "access-names-another",
                "ACC09",
                "error",
                f"{cell} can name another person in {column}, by {statement}.",
                cell.place,
                f"Do not grant the column {column}; let a default, a trigger or a function set it.",
            )


def policy_inputs_digest(connection: Connection) -> str:
    """Return a digest of what decides whether the writes of a cell are compared: what policies read.

    Whether a write can change that depends on the triggers and foreign keys of its table, which the key of
    the cell contains; the verdicts of compared cells are not stored.
    """
    connection.execute("select set_config('search_path', '', false)")
    return policy_inputs(read_access_rules(connection), tables(connection, ())).digest


def _described(gains: Mapping[ReachKey, tuple[int, str]]) -> str:
    """Return the gains by the write that makes them: `gains app.notes 3, by update …`."""
    by_statement: dict[str, dict[ReachKey, int]] = {}
    for key, (count, statement) in gains.items():
        by_statement.setdefault(statement, {})[key] = count
    return "; ".join(
        f"{'; '.join(listed_reach(counts))}, by {statement}" for statement, counts in by_statement.items()
    )


def _gains(
    trial: Trial, reach_: Reach, compared: Iterable[tuple[Write, Changes | None]]
) -> Mapping[Cell, Mapping[ReachKey, tuple[int, str]]]:
    """Return what actors gain by the writes of each cell: the largest number, and the write that gains it."""
    single = [
        replace(write, statements=(statement,))
        for write, changes in compared
        if changes is not None
        for statement in write.statements
    ]
    gains: dict[Cell, dict[ReachKey, tuple[int, str]]] = {}
    repeated = sorted(run_writes(trial, reach_, single), key=lambda result: -len(result[1] or ()))
    for write, changes in repeated:
        known = gains.setdefault(write.cell, {})
        for actor, kind, name, count in changes or ():
            key = actor, kind, name
            if key not in known or count > known[key][0]:
                known[key] = count, write.statements[0].body
    return gains


def _groups(cell: Cell, writes: Sequence[AttemptStatement]) -> Iterator[tuple[AttemptStatement, ...]]:
    """Yield the writes that are executed together: all that insert rows, each other write alone.

    A write with WHERE affects no other rows than the one without.
    """
    if cell.command == "insert":
        yield tuple(writes)
        return
    blind = [write for write in writes if write.way == "without where"]
    yield from ((write,) for write in blind or writes)


def _variants(
    trial: Trial, inputs: PolicyInputs, cell: Cell, writes: Sequence[AttemptStatement]
) -> Iterator[tuple[AttemptStatement, ...]]:
    """Yield writes that set each column that functions of policies name to the values of the fixture."""
    table, actor = trial.tables[cell.table], trial.matrix.actors[cell.actor]
    grants, rows = table.grants[actor.role], trial.fixtures[cell.table].rows
    own = [
        (writable(table).index(column), actor.names.get(name))
        for owned, column, name in owner_columns(trial.matrix)
        if owned == table.name
    ]
    for column in inputs.held.get(cell.table, ()):
        if table.key == (column,) or table.columns[column].generated:
            continue
        index = writable(table).index(column)
        values = sorted({value for row in rows if (value := row.values[index]) is not None})[:_VALUES]
        for value in (*values, *(() if table.columns[column].required else (None,))):
            if cell.command == "update" and column in grants.updates:
                yield (replace(writes[0], body=statements.reassign(table, column, value)),)
            for write in writes if cell.command == "insert" and column in grants.inserts else ():
                row = next(row for row in rows if row.key in (write.success or ()))
                if any(row.values[position] == person for position, person in own):
                    changed = with_value(table, row, column, value)
                    yield (replace(write, body=statements.insert_row(table, changed, grants.inserts)),)
