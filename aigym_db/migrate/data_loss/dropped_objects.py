"""The tables, columns and sequences with data that are dropped, directly or by CASCADE."""

from __future__ import annotations

import json
from typing import Any

import psycopg
from psycopg import Connection

from aigym_db.database.queries import query
from aigym_db.migrate.data_loss.address import Address
from aigym_db.migrate.data_loss.destructive_statements import DroppedObject
from aigym_db.migrate.data_loss.prior_statements import NewDependency
from aigym_db.migrate.data_loss.renames import CurrentName
from aigym_db.migrate.data_loss.row_count import Loss, count_rows
from aigym_db.migrate.data_loss.scan import DestructiveStatement
from aigym_db.syntax.quote import quoted

_CLASS, _NAMESPACE = 1259, 2615
"""The oids of pg_class and pg_namespace, the same in every database."""


def dropped_data(
    connection: Connection[Any], statements: list[DestructiveStatement]
) -> tuple[dict[int, list[Loss]], set[int]]:
    """Return the data lost by each DROP, and the statements whose object does not exist; both by index.

    Each query covers all objects, because most of them are empty.
    """
    drops = {
        number: statement.destruction
        for number, statement in enumerate(statements)
        if isinstance(statement.destruction, DroppedObject)
    }
    if not drops:
        return {}, set()
    roots, missing = _roots(connection, drops)
    dependencies = []
    for number, new, parent, child in _new_dependencies(connection, statements, drops):
        if parent is not None:
            catalog = _NAMESPACE if new.by == "schema" else _CLASS
            dependency = {"number": number, "class": catalog, "parent": parent, "child": child}
            dependencies.append({**dependency, "whole": new.always_dropped})
        elif _drops_parent(drops[number], new):
            roots.append(_root(number, drops[number], _CLASS, child, 0))
    losses: dict[int, list[Loss]] = {}
    parameters = {"roots": json.dumps(roots), "dependencies": json.dumps(dependencies)}
    rows = connection.execute(query("migrate/dropped_objects"), parameters).fetchall()
    for number, kind, schema, name, column, last_value in rows:
        loss = _loss(connection, drops[number], kind, CurrentName(schema, name), column, last_value)
        if loss is not None:
            losses.setdefault(number, []).append(loss)
    return losses, missing


def _roots(
    connection: Connection[Any], drops: dict[int, DroppedObject]
) -> tuple[list[dict[str, Any]], set[int]]:
    """Return the named objects as catalog rows, and the statements whose object does not exist."""
    objects = [
        {
            "number": number,
            "kind": drop.kind,
            "schema": drop.name.schema,
            "name": drop.name.name,
            "column": drop.column,
            **({} if drop.address is None else _catalog_row(connection, drop.address)),
        }
        for number, drop in drops.items()
    ]
    rows = connection.execute(query("migrate/drop_roots"), {"objects": json.dumps(objects)}).fetchall()
    missing = {number for number, catalog, *_ in rows if catalog is None}
    return [_root(row[0], drops[row[0]], *row[1:]) for row in rows if row[0] not in missing], missing


def _root(number: int, drop: DroppedObject, catalog: int, oid: int, column: int) -> dict[str, Any]:
    object_ = {"class": catalog, "object": oid, "sub": column}
    return {"number": number, "kind": drop.kind, "cascade": drop.cascade, **object_}


def _new_dependencies(
    connection: Connection[Any], statements: list[DestructiveStatement], drops: dict[int, DroppedObject]
) -> list[tuple[int, NewDependency, int | None, int]]:
    """Return the dependencies that statements of the plan create before a DROP.

    Each is a tuple: the number of the DROP, the dependency, and the oids of its parent (None if it does not
    exist yet) and its child.
    """
    new_by_drop = [(number, new) for number in drops for new in statements[number].dependencies]
    if not new_by_drop:
        return []
    names = [
        {
            "number": index,
            "by": new.by,
            "parent_schema": new.parent.schema,
            "parent": new.parent.name,
            "child_schema": new.child.schema,
            "child": new.child.name,
        }
        for index, (_, new) in enumerate(new_by_drop)
    ]
    parameters = {"dependencies": json.dumps(names)}
    rows = connection.execute(query("migrate/new_dependencies"), parameters).fetchall()
    return [(*new_by_drop[index], parent, child) for index, parent, child in rows]


def _drops_parent(drop: DroppedObject, new: NewDependency) -> bool:
    """True if the DROP names the parent of a dependency, and drops the child with it."""
    same_schema = None in (new.parent.schema, drop.name.schema) or new.parent.schema == drop.name.schema
    same = new.by == drop.kind and new.parent.name == drop.name.name and same_schema
    return same and drop.column is None and (drop.cascade or new.always_dropped)


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
