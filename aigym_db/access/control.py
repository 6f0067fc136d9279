"""The control: a deliberately wrong table that every test of the access matrix must report.

The table exists in a transaction that is rolled back. Its policy is `using (true)`, its only row belongs to
another tenant, and its cells expect no rows. If the cells match, the test does not detect wrong policies.
"""

from __future__ import annotations

from dataclasses import replace

from aigym_db.access.findings import differing_cells
from aigym_db.access.matrix import AccessMatrix
from aigym_db.access.matrix_files import TableMatrix
from aigym_db.access.trial import trial
from aigym_db.database.migration_session import Connection
from aigym_db.errors import BlindDetector
from aigym_db.model.access import COMMANDS, Cell
from aigym_db.model.source import Place
from aigym_db.syntax.quote import quoted

TABLE = "aigym_control.documents"
"""The name of the control table."""
_STATEMENTS = (
    "create schema aigym_control",
    f"create table {TABLE} (id int primary key, tenant text not null)",
    f"insert into {TABLE} values (1, 'another tenant')",
    f"alter table {TABLE} enable row level security",
    f"create policy documents_select on {TABLE} for select using (true)",
)


def check_control(connection: Connection, matrix: AccessMatrix) -> None:
    """Raise BlindDetector (AIG-P018) if the cells of the control table match for an actor.

    The connection is of a superuser, to a database with the tables and functions of the matrix; it must not
    have been prepared by `trial` before. Nothing remains in the database.
    """
    cells = {
        (actor, command): Cell(TABLE, actor, command, ()) for actor in matrix.actors for command in COMMANDS
    }
    control = TableMatrix(TABLE, Place("control", 1, 1), {}, {}, cells)
    roles = sorted({actor.role for actor in matrix.actors.values()})
    with connection.transaction(force_rollback=True):
        for statement in (*_STATEMENTS, *_grants(connection, roles)):
            connection.execute(statement.encode())
        outcomes = trial(
            connection, replace(matrix, tables={**matrix.tables, TABLE: control}), {TABLE}
        ).outcomes()
    reported = "\n".join(finding.message for finding in differing_cells(outcomes))
    missed = [actor for actor in matrix.actors if f"{TABLE}: {actor} select: " not in reported]
    if missed:
        raise BlindDetector(
            f"The test does not report the control table, which {missed[0]} can read.",
            detail=f"{len(missed)} of {len(matrix.actors)} actors are not reported. Policy: using (true).",
            hint="Report this as a fault of aigym-db; the other results of this run prove nothing.",
        )


def _grants(connection: Connection, roles: list[str]) -> list[str]:
    """Return the grants to those roles that exist."""
    existing = connection.execute(
        "select rolname::text from pg_roles where rolname = any (%s) order by 1", [roles]
    ).fetchall()
    listed = ", ".join(quoted(role) for (role,) in existing)
    if not listed:
        return []
    return [f"grant usage on schema aigym_control to {listed}", f"grant select on {TABLE} to {listed}"]
