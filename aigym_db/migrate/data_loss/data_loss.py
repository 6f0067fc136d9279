"""The data that a rollback destroys: rows, values, and statements whose effect cannot be determined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection, sql

from aigym_db.database.queries import query
from aigym_db.errors import DataLoss
from aigym_db.migrate.data_loss.destructive_statements import (
    CURRENT_TYPE,
    AffectedRows,
    Call,
    DroppedObject,
    UnknownEffect,
)
from aigym_db.migrate.data_loss.dropped_objects import dropped_data
from aigym_db.migrate.data_loss.renames import CurrentName
from aigym_db.migrate.data_loss.row_count import COUNT_TIMEOUT_MS, Loss, count_rows
from aigym_db.migrate.data_loss.scan import DestructiveStatement, Setting, by_setting
from aigym_db.migrate.step import Step
from aigym_db.model.migration import Part, Plan
from aigym_db.model.source import Place

HARMLESS_VOLATILE = frozenset(
    [
        "clock_timestamp",
        "currval",
        "gen_random_uuid",
        "nextval",
        "pg_advisory_xact_lock",
        "pg_advisory_xact_lock_shared",
        "pg_notify",
        "pg_sleep",
        "random",
        "set_config",
        "setval",
        "timeofday",
        "uuidv4",
        "uuidv7",
    ]
)
"""PostgreSQL's volatile functions that destroy no data; those that are not volatile cannot change any."""


def require_no_data_loss(connection: Connection[Any], plan: Plan, owner: str | None = None) -> None:
    """Raise DataLoss (AIG-G003) with the list and the plan if rolling back destroys data or may do so."""
    parts = [migration.down for migration in plan.migrations if migration.down]
    losses = find_data_loss(connection, parts, owner)
    if losses:
        unknown = all(loss.rows is None and not loss.reason for loss in losses)
        raise DataLoss(
            f"Rolling back {', '.join(migration.label for migration in plan.migrations)} "
            f"{'may' if unknown else 'would'} destroy data.",
            place=next(iter(losses.values())),
            detail="\n".join(map(str, losses)),
            hint="Make a backup, then run this again with --yes.",
            plan=plan,
        )


def find_data_loss(
    connection: Connection[Any], parts: Iterable[Part], owner: str | None = None
) -> dict[Loss, Place]:
    """Return the data that these parts destroy, in order, each with the first statement that does so.

    `owner` is the role of parts that specify none; rows are counted with its permissions. The queries run in
    read-only transactions, each for at most COUNT_TIMEOUT_MS.
    """
    losses: dict[Loss, Place] = {}
    for setting, statements in by_setting(parts, owner):
        with _settings_of_the_file(connection, setting):
            for loss, step in _losses(connection, statements):
                losses.setdefault(loss, step.place())
    return losses


@contextmanager
def _settings_of_the_file(connection: Connection[Any], setting: Setting) -> Iterator[None]:
    with connection.transaction(force_rollback=True):
        connection.execute("set transaction read only")
        connection.execute(f"set local statement_timeout = {COUNT_TIMEOUT_MS}".encode())
        if setting.role is not None:
            connection.execute(sql.SQL("set local role {}").format(sql.Identifier(setting.role)))
        if setting.search_path is not None:
            connection.execute(setting.search_path.encode())
        yield


def _losses(
    connection: Connection[Any], statements: list[DestructiveStatement]
) -> Iterator[tuple[Loss, Step]]:
    dropped, missing = dropped_data(connection, statements)
    harmless = _harmless_functions(
        connection,
        [statement.destruction.name for statement in statements if isinstance(statement.destruction, Call)],
    )
    for number, statement in enumerate(statements):
        match statement.destruction:
            case DroppedObject(_, name):
                for loss in dropped.get(number, ()):
                    yield loss, statement.step
                if number in missing and number not in dropped and not statement.may_be_missing:
                    yield _missing(statement, name), statement.step
            case AffectedRows(table) as rows:
                oid = _relation_oid(connection, table)
                if oid is not None:
                    for loss in _row_losses(connection, rows, oid):
                        yield loss, statement.step
                elif not statement.may_be_missing:
                    yield _missing(statement, table), statement.step
            case UnknownEffect(description):
                yield _unknown(statement, description), statement.step
            case Call(name) if name.removeprefix("pg_catalog.") not in harmless:
                yield _unknown(statement, f"{name}(): effects cannot be determined"), statement.step


def _unknown(statement: DestructiveStatement, description: str) -> Loss:
    return Loss(f"{statement.step.place()}: {description}", None)


def _missing(statement: DestructiveStatement, name: CurrentName) -> Loss:
    return _unknown(statement, f"{name} does not exist yet, so its rows cannot be counted")


def _relation_oid(connection: Connection[Any], name: CurrentName) -> int | None:
    parameters = {"schema": name.schema, "name": name.name}
    row = connection.execute(query("migrate/relation"), parameters).fetchone()
    return None if row is None else int(row[0])


def _row_losses(connection: Connection[Any], rows: AffectedRows, oid: int) -> Iterator[Loss]:
    types = {column: type_ for column in rows.columns if (type_ := _type(connection, oid, column))}
    columns = list(types)
    if rows.columns and not columns:
        return
    name = f"{rows.table}.{', '.join(columns)}" if columns else str(rows.table)
    from_clause = rows.from_clause
    if rows.effect == "changed":
        from_clause = from_clause.replace(CURRENT_TYPE, types[columns[0]])
    loss = count_rows(connection, name, from_clause, rows.with_clause, _EFFECTS[rows.effect], rows.fallback)
    if loss is None:
        return
    yield loss
    if rows.effect in ("deleted", "emptied") and (rows.effect == "deleted" or rows.cascade):
        parameters = {"table": oid, "truncates": rows.effect == "emptied"}
        for schema, name, deleted in connection.execute(query("migrate/referring"), parameters).fetchall():
            reason = f"rows {'deleted' if deleted else 'changed'} by a foreign key to {rows.table}"
            yield Loss(str(CurrentName(None if schema == "public" else schema, name)), None, reason=reason)


_EFFECTS = {
    "emptied": "",
    "deleted": "deleted",
    "overwritten": "overwritten",
    "changed": "with a value that the type change does not preserve",
}


def _harmless_functions(connection: Connection[Any], names: list[str]) -> frozenset[str]:
    unqualified = {name.removeprefix("pg_catalog.") for name in names}
    others = sorted(name for name in unqualified - HARMLESS_VOLATILE if "." not in name)
    rows = connection.execute(query("migrate/harmless"), {"names": others}).fetchall() if others else []
    return HARMLESS_VOLATILE | {row[0] for row in rows}


def _type(connection: Connection[Any], table: int, column: str) -> str:
    row = connection.execute(query("migrate/column_type"), {"table": table, "column": column}).fetchone()
    return "" if row is None else str(row[0])
