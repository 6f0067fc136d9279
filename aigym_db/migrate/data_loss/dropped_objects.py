"""The tables, columns and sequences with data that are dropped, directly or by CASCADE."""

from __future__ import annotations

import json
from typing import Any

import psycopg
from psycopg import Connection

from aigym_db.database.queries import query
from aigym_db.migrate.data_loss.address import Address
from aigym_db.migrate.data_loss.destructive_statements import DroppedObject
from aigym_db.migrate.data_loss.renames import CurrentName
from aigym_db.migrate.data_loss.row_count import Loss, count_rows
from aigym_db.migrate.data_loss.scan import DestructiveStatement
from aigym_db.syntax.quote import quoted


def dropped_data(
    connection: Connection[Any], statements: list[DestructiveStatement]
) -> tuple[dict[int, list[Loss]], set[int]]:
    """Return the data lost by each DROP, and the statements whose object does not exist; both by index.

    One query covers all objects, because most of them are empty.
    """
    drops = {
        number: statement.destruction
        for number, statement in enumerate(statements)
        if isinstance(statement.destruction, DroppedObject)
    }
    objects = [
        {
            "number": number,
            "kind": drop.kind,
            "schema": drop.name.schema,
            "name": drop.name.name,
            "column": drop.column,
            "cascade": drop.cascade,
            **({} if drop.address is None else _catalog_row(connection, drop.address)),
        }
        for number, drop in drops.items()
    ]
    dependencies = [
        {
            "number": number,
            "by": new.by,
            "parent_schema": new.parent.schema,
            "parent": new.parent.name,
            "child_schema": new.child.schema,
            "child": new.child.name,
            "whole": new.always_dropped,
        }
        for number in drops
        for new in statements[number].dependencies
    ]
    losses: dict[int, list[Loss]] = {}
    missing: set[int] = set()
    parameters = {"wanted": json.dumps(objects), "adopted": json.dumps(dependencies)}
    rows = connection.execute(query("migrate/gone"), parameters).fetchall() if objects else []
    for number, kind, schema, name, column, last_value in rows:
        if kind is None:
            missing.add(number)
            continue
        loss = _loss(connection, drops[number], kind, CurrentName(schema, name), column, last_value)
        if loss is not None:
            losses.setdefault(number, []).append(loss)
    return losses, missing


def _loss(
    connection: Connection[Any],
    drop: DroppedObject,
    kind: str,
    relation: CurrentName,
    column: str | None,
    last_value: int | None,
) -> Loss | None:
    shown = str(CurrentName(None if relation.schema == "public" else relation.schema, relation.name))
    if kind == "S":
        return None if last_value is None else Loss(shown, None, reason=f"sequence, last value {last_value}")
    name = shown if column is None else f"{shown}.{column}"
    cause = drop.dropped_with
    effect = f"dropped with {cause}" if cause and cause != name else ""
    condition = "" if column is None else f" where {quoted(column)} is not null"
    return count_rows(connection, name, f"{relation.quoted}{condition}", effect=effect)


def _catalog_row(connection: Connection[Any], address: Address) -> dict[str, int]:
    """Return the catalog and oid of an object; empty if it does not exist."""
    parameters = {
        "kind": address.kind,
        "name": address.quoted,
        "names": list(address.names),
        "arguments": None if address.arguments is None else list(address.arguments),
    }
    try:
        with connection.transaction():
            row = connection.execute(query("migrate/address"), parameters).fetchone()
    except psycopg.ProgrammingError:
        return {}
    return {} if row is None or row[1] is None else {"class": row[0], "object": row[1]}
