"""The statements that test each cell, and the keys that each is expected to reach."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from aigym_db.access import statements
from aigym_db.access.fixture import Fixture, Row
from aigym_db.access.matrix_files import TableMatrix
from aigym_db.access.reassignments import Reassignment
from aigym_db.access.tables import Grants, Table
from aigym_db.model.access import COMMANDS, Cell, Command, Way


@dataclass(frozen=True, slots=True)
class AttemptStatement:
    """One statement to execute as one actor, and the keys it is expected to reach."""

    cell: Cell
    way: Way
    expected: tuple[str, ...]
    body: str
    id: int = 0
    """Position in the order of execution: statements that detect most faults come first."""
    scene: str | None = None
    """The statement executed before, as superuser; statements with the same scene share it."""
    observe: str | None = None
    """The query that returns the rows reached, executed as superuser."""
    success: tuple[str, ...] | None = None
    """The keys reached if the statement affects rows; None if `observe` returns them."""
    passed: tuple[str, ...] | None = None
    """The keys reached if a constraint rejects the statement: policies are evaluated before constraints."""
    each: tuple[tuple[str, str], ...] = ()
    """(statement, key) to execute one by one if a WITH CHECK rejects the whole sighted statement."""


@dataclass(frozen=True, slots=True)
class RejectedAttempt:
    """An attempt that needs no statement, because the role lacks the privilege."""

    cell: Cell
    way: Way
    expected: tuple[str, ...]
    error: str = ""


def order_statements(attempts: Iterable[AttemptStatement]) -> tuple[AttemptStatement, ...]:
    """Return the statements in the order of execution."""
    order = {
        command: index for index, command in enumerate(("select", "delete", "update", "reassign", "insert"))
    }
    ranked = sorted(
        attempts,
        key=lambda statement: (
            order[statement.cell.command],
            statement.way != "blind",
            statement.scene or "",
        ),
    )
    return tuple(replace(statement, id=index) for index, statement in enumerate(ranked))


def plan_attempts(
    table_matrix: TableMatrix, table: Table, fixture: Fixture, roles: dict[str, str]
) -> Iterator[AttemptStatement | RejectedAttempt]:
    """Yield every attempt on a table; `roles` maps each actor to its database role."""
    for actor, role in roles.items():
        grants = table.grants[role]
        cells = {command: table_matrix.cells[actor, command] for command in COMMANDS}
        yield from _select(cells["select"], table, fixture, grants)
        yield from _delete(cells["delete"], table, fixture, grants)
        yield from _update(cells["update"], table, fixture, grants)
        yield from _reassign(cells["reassign"], table, fixture, grants)
        yield from _insert(cells["insert"], table, fixture, grants, tuple(table_matrix.reassignments))


def _means(fixture: Fixture, actor: str, *commands: Command) -> tuple[str, ...]:
    """The keys that these cells of an actor have in common."""
    sets = [fixture.means[actor, command] for command in commands]
    return tuple(sorted(frozenset.intersection(*sets)))


def _select(
    cell: Cell, table: Table, fixture: Fixture, grants: Grants
) -> Iterator[AttemptStatement | RejectedAttempt]:
    expected = _means(fixture, cell.actor, "select")
    if grants.selects.issuperset(table.key):
        yield AttemptStatement(cell, "look", expected, statements.look(table))
    elif grants.selects:
        yield RejectedAttempt(
            cell,
            "look",
            expected,
            "the role can read some columns but not the key, so the rows cannot be distinguished",
        )
    else:
        yield RejectedAttempt(cell, "look", expected)


def _delete(
    cell: Cell, table: Table, fixture: Fixture, grants: Grants
) -> Iterator[AttemptStatement | RejectedAttempt]:
    expected = _means(fixture, cell.actor, "delete")
    if not grants.deletes:
        yield RejectedAttempt(cell, "blind", expected)
        return
    gone = statements.gone(table, fixture.rows)
    yield AttemptStatement(cell, "blind", expected, statements.delete_blind(table), observe=gone)
    if expected and grants.selects.issuperset(table.key):
        seen = _means(fixture, cell.actor, "delete", "select")
        yield AttemptStatement(cell, "sighted", seen, statements.delete_sighted(table), observe=gone)


def _update(
    cell: Cell, table: Table, fixture: Fixture, grants: Grants
) -> Iterator[AttemptStatement | RejectedAttempt]:
    expected = _means(fixture, cell.actor, "update")
    if not grants.updates:
        yield RejectedAttempt(cell, "blind", expected)
        return
    free = statements.free(table, grants.updates)
    shown = statements.readable(table, grants) if grants.selects.issuperset(table.key) else None
    each = tuple(
        (statements.update_sighted(table, shown, statements.key_condition(table, row)), row.key)
        for row in (fixture.rows if shown else ())
        if shown
    )
    if free:
        blind = statements.update_blind(table, free, fixture.rows)
        yield AttemptStatement(cell, "blind", expected, blind, observe=statements.touched(table))
    if shown and (expected or not free):
        seen = _means(fixture, cell.actor, "update", "select")
        sighted = statements.update_sighted(table, shown)
        yield AttemptStatement(cell, "sighted", seen, sighted, observe=statements.touched(table), each=each)
    if not free and not shown:
        yield RejectedAttempt(
            cell,
            "blind",
            expected,
            "the role can update only columns that cannot be tested without reading them",
        )


def _insert(
    cell: Cell, table: Table, fixture: Fixture, grants: Grants, whose: tuple[str, ...]
) -> Iterator[AttemptStatement | RejectedAttempt]:
    means = fixture.means[cell.actor, "insert"]
    if not grants.inserts:
        yield RejectedAttempt(cell, "forged", tuple(sorted(means)))
        return
    sure = grants.inserts.issuperset(whose)
    if grants.bypasses and fixture.rows:
        # No policy applies, so the result for one row is valid for all.
        every = tuple(row.key for row in fixture.rows)
        row = fixture.rows[0]
        yield AttemptStatement(
            cell,
            "forged",
            tuple(sorted(means)),
            statements.forge(table, row, grants.inserts),
            scene=statements.take_away(table, row),
            success=every,
            passed=every,
        )
        return
    for row in fixture.rows:
        yield AttemptStatement(
            cell,
            "forged",
            (row.key,) if row.key in means else (),
            statements.forge(table, row, grants.inserts),
            scene=statements.take_away(table, row),
            observe=None if sure else statements.forged(table, row, whose),
            success=(row.key,),
            passed=(row.key,),
        )


def _reassign(
    cell: Cell, table: Table, fixture: Fixture, grants: Grants
) -> Iterator[AttemptStatement | RejectedAttempt]:
    updatable, visible = fixture.means[cell.actor, "update"], fixture.means[cell.actor, "select"]
    allowed = fixture.reassignments.allowed[cell.actor]
    reachable = updatable | {reassignment.key for reassignment in allowed}
    columns = {column for column, _ in fixture.reassignments.targets}
    rejected = {reassignment for reassignment in allowed if reassignment.column not in grants.updates}
    if rejected or not columns & grants.updates:
        yield RejectedAttempt(cell, "blind", tuple(sorted(map(str, rejected))))
    for column, target in fixture.reassignments.targets:
        if column not in grants.updates:
            continue
        elsewhere = fixture.elsewhere(table, column, target)
        reassignments = {
            row.key: Reassignment(row.key, column, target) for row in elsewhere if row.key in reachable
        }
        yield _reassign_all(
            cell, table, column, target, elsewhere, frozenset(reassignments.values()), allowed
        )
        # If all of them are allowed, the statement above has tested each.
        mixed = len(reassignments) > 1 and not allowed.issuperset(reassignments.values())
        if mixed and grants.selects.issuperset(table.key):
            for row in elsewhere:
                if row.key in reassignments and row.key in visible:
                    yield _reassign_one(cell, table, fixture, row, reassignments[row.key])


def _reassign_all(
    cell: Cell,
    table: Table,
    column: str,
    target: str | None,
    elsewhere: tuple[Row, ...],
    reassignments: frozenset[Reassignment],
    allowed: frozenset[Reassignment],
) -> AttemptStatement:
    """Reassign every row that can be reached, including rows of other owners.

    If only some of the reassignments are allowed, the whole statement must fail.
    """
    every = tuple(sorted(str(Reassignment(row.key, column, target)) for row in elsewhere))
    expected = tuple(sorted(map(str, reassignments))) if allowed.issuperset(reassignments) else ()
    return AttemptStatement(
        cell,
        "blind",
        expected,
        statements.reassign(table, column, target),
        observe=statements.reassigned(table, column, target, elsewhere),
        passed=expected if expected or allowed & reassignments else every,
    )


def _reassign_one(
    cell: Cell, table: Table, fixture: Fixture, row: Row, reassignment: Reassignment
) -> AttemptStatement:
    """Reassign one row by its key; the actor must be able to select it afterwards."""
    reach = (
        reassignment in fixture.reassignments.allowed[cell.actor]
        and reassignment in fixture.reassignments.visible_after[cell.actor]
    )
    return AttemptStatement(
        cell,
        "sighted",
        (str(reassignment),) if reach else (),
        statements.reassign(
            table, reassignment.column, reassignment.target, statements.key_condition(table, row)
        ),
        success=(str(reassignment),),
        passed=(str(reassignment),),
    )
