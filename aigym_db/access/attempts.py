"""The statements that test each cell, and the keys that each is expected to reach."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from aigym_db.access import statements
from aigym_db.access.fixture import Fixture, Row, writable
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
    setup: str | None = None
    """SQL executed before, as superuser; once for all statements with the same setup."""
    observe: str | None = None
    """The query that returns the rows reached, executed as superuser."""
    success: tuple[str, ...] | None = None
    """The keys reached if the statement affects rows; None if `observe` returns them."""
    passed: tuple[str, ...] | None = None
    """The keys reached if a constraint rejects the statement: policies are evaluated before constraints."""
    each: tuple[tuple[str, str], ...] = ()
    """(statement, key) to execute one by one if a WITH CHECK rejects the statement as a whole."""


@dataclass(frozen=True, slots=True)
class RejectedAttempt:
    """An attempt that is not executed: the role lacks the privilege, or it cannot be tested (`error`)."""

    cell: Cell
    way: Way
    expected: tuple[str, ...]
    error: str = ""


def order_statements(attempts: Iterable[AttemptStatement]) -> tuple[AttemptStatement, ...]:
    """Return the statements in the order of execution, with their positions as `id`."""
    order = {
        command: index for index, command in enumerate(("select", "delete", "update", "reassign", "insert"))
    }
    ranked = sorted(
        attempts,
        key=lambda statement: (
            order[statement.cell.command],
            statement.way != "without where",
            statement.setup or "",
        ),
    )
    return tuple(replace(statement, id=index) for index, statement in enumerate(ranked))


def plan_attempts(
    table_matrix: TableMatrix, table: Table, fixture: Fixture, roles: dict[str, str]
) -> Iterator[AttemptStatement | RejectedAttempt]:
    """Yield every attempt on a table: statements to execute, and attempts that need none.

    `roles` maps each actor to its database role.
    """
    for actor, role in roles.items():
        grants = table.grants[role]
        cells = {command: table_matrix.cells[actor, command] for command in COMMANDS}
        for command, way in _FIRST_WAYS.items():
            if not grants.allow(command):
                yield RejectedAttempt(cells[command], way, _expected(fixture, actor, command))
        if grants.allow("select"):
            yield _select(cells["select"], table, fixture, grants)
        if grants.allow("delete"):
            yield from _delete(cells["delete"], table, fixture, grants)
        if grants.allow("update"):
            yield from _update(cells["update"], table, fixture, grants)
        if grants.allow("insert"):
            yield from _insert(cells["insert"], table, fixture, grants, tuple(table_matrix.reassignments))
        yield from _reassign(cells["reassign"], table, fixture, grants)


_FIRST_WAYS: dict[Command, Way] = {
    "select": "select",
    "insert": "insert",
    "update": "without where",
    "delete": "without where",
}
"""The first way to test each command; for `reassign` the privileges on the columns decide."""


def _expected(fixture: Fixture, actor: str, *commands: Command) -> tuple[str, ...]:
    """Return the keys that the cells of an actor for these commands have in common."""
    sets = [fixture.expected[actor, command] for command in commands]
    return tuple(sorted(frozenset.intersection(*sets)))


def _select(cell: Cell, table: Table, fixture: Fixture, grants: Grants) -> AttemptStatement | RejectedAttempt:
    expected = _expected(fixture, cell.actor, "select")
    if grants.selects.issuperset(table.key):
        return AttemptStatement(cell, "select", expected, statements.select_visible(table))
    return RejectedAttempt(
        cell,
        "select",
        expected,
        "the role can read some columns but not the key, so the rows cannot be distinguished",
    )


def _delete(cell: Cell, table: Table, fixture: Fixture, grants: Grants) -> Iterator[AttemptStatement]:
    expected = _expected(fixture, cell.actor, "delete")
    deleted = statements.select_deleted(table, fixture.rows)
    yield AttemptStatement(
        cell, "without where", expected, statements.delete_without_where(table), observe=deleted
    )
    if expected and grants.selects.issuperset(table.key):
        visible = _expected(fixture, cell.actor, "delete", "select")
        yield AttemptStatement(
            cell, "with where", visible, statements.delete_with_where(table), observe=deleted
        )


def _update(
    cell: Cell, table: Table, fixture: Fixture, grants: Grants
) -> Iterator[AttemptStatement | RejectedAttempt]:
    expected = _expected(fixture, cell.actor, "update")
    writable = statements.writable_column(table, grants.updates)
    readable = statements.readable_column(table, grants) if grants.selects.issuperset(table.key) else None
    each = tuple(
        (statements.update_with_where(table, readable, statements.key_condition(table, row)), row.key)
        for row in (fixture.rows if readable else ())
        if readable
    )
    if writable:
        statement = statements.update_without_where(table, writable, fixture.rows)
        yield AttemptStatement(
            cell, "without where", expected, statement, observe=statements.select_written(table)
        )
    if readable and (expected or not writable):
        visible = _expected(fixture, cell.actor, "update", "select")
        statement = statements.update_with_where(table, readable)
        yield AttemptStatement(
            cell, "with where", visible, statement, observe=statements.select_written(table), each=each
        )
    if not writable and not readable:
        yield RejectedAttempt(
            cell,
            "without where",
            expected,
            "the role can update only columns that cannot be tested without reading them",
        )


def _insert(
    cell: Cell, table: Table, fixture: Fixture, grants: Grants, owner_columns: tuple[str, ...]
) -> Iterator[AttemptStatement]:
    expected = fixture.expected[cell.actor, "insert"]
    writes_owner = grants.inserts.issuperset(owner_columns)
    if grants.bypasses and fixture.rows:
        # No policy applies, so the result for one row is valid for all.
        every = tuple(row.key for row in fixture.rows)
        row = fixture.rows[0]
        yield AttemptStatement(
            cell,
            "insert",
            tuple(sorted(expected)),
            statements.insert_row(table, row, grants.inserts),
            setup=statements.delete_row(table, row),
            success=every,
            passed=every,
        )
        return
    for row in fixture.rows:
        keys = (row.key,) if row.key in expected else ()
        yield AttemptStatement(
            cell,
            "insert",
            keys,
            statements.insert_row(table, row, grants.inserts),
            setup=statements.delete_row(table, row),
            observe=None if writes_owner else statements.select_inserted(table, row, owner_columns),
            success=(row.key,),
            passed=(row.key,) if _has_no_value(table, row, set(owner_columns) - grants.inserts) else keys,
        )


def _has_no_value(table: Table, row: Row, columns: Collection[str]) -> bool:
    """Return True if the row has no value in these columns, which the role cannot insert.

    Otherwise, a policy that admits the INSERT admits another row: of another owner, or not deleted.
    """
    values = dict(zip(writable(table), row.values, strict=True))
    return all(values.get(column) is None for column in columns)


def _reassign(
    cell: Cell, table: Table, fixture: Fixture, grants: Grants
) -> Iterator[AttemptStatement | RejectedAttempt]:
    updatable, visible = fixture.expected[cell.actor, "update"], fixture.expected[cell.actor, "select"]
    allowed = fixture.reassignments.allowed[cell.actor]
    reachable = updatable | {reassignment.key for reassignment in allowed}
    columns = {column for column, _ in fixture.reassignments.targets}
    rejected = {reassignment for reassignment in allowed if reassignment.column not in grants.updates}
    if rejected or not columns & grants.updates:
        yield RejectedAttempt(cell, "without where", tuple(sorted(map(str, rejected))))
    for column, target in fixture.reassignments.targets:
        if column not in grants.updates:
            continue
        others = fixture.rows_to_reassign(table, column, target)
        reassignments = {
            row.key: Reassignment(row.key, column, target) for row in others if row.key in reachable
        }
        yield _reassign_all(cell, table, column, target, others, frozenset(reassignments.values()), allowed)
        # If all of them are allowed, the statement above has tested each.
        mixed = len(reassignments) > 1 and not allowed.issuperset(reassignments.values())
        if mixed and grants.selects.issuperset(table.key):
            for row in others:
                if row.key in reassignments and row.key in visible:
                    yield _reassign_one(cell, table, fixture, row, reassignments[row.key])


def _reassign_all(
    cell: Cell,
    table: Table,
    column: str,
    target: str | None,
    others: tuple[Row, ...],
    reassignments: frozenset[Reassignment],
    allowed: frozenset[Reassignment],
) -> AttemptStatement:
    """Reassign every row that can be reached, including rows of other owners.

    If only some of the reassignments are allowed, the whole statement must fail.
    """
    every = tuple(sorted(str(Reassignment(row.key, column, target)) for row in others))
    expected = tuple(sorted(map(str, reassignments))) if allowed.issuperset(reassignments) else ()
    return AttemptStatement(
        cell,
        "without where",
        expected,
        statements.reassign(table, column, target),
        observe=statements.select_reassigned(table, column, target, others),
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
        "with where",
        (str(reassignment),) if reach else (),
        statements.reassign(
            table, reassignment.column, reassignment.target, statements.key_condition(table, row)
        ),
        success=(str(reassignment),),
        passed=(str(reassignment),),
    )
