"""Read the interface of a schema from the catalog."""

from __future__ import annotations

from typing import Any

from aigym_db.database.migration_session import Connection
from aigym_db.database.queries import query
from aigym_db.model.interface import (
    FunctionArgument,
    Interface,
    InterfaceColumn,
    InterfaceFunction,
    InterfaceRelation,
    InterfaceType,
)
from aigym_db.syntax.listed_values import listed_values


def read_interface(connection: Connection, schema: str) -> Interface:
    """Return the interface of a schema; it is empty if the schema does not exist.

    The names of types contain their schema unless it is pg_catalog, whatever the session's search_path.
    """
    with connection.transaction():
        connection.execute("set local search_path = ''")
        parameters = {"schema": schema}
        return Interface(
            schema=schema,
            relations=tuple(map(_relation, _rows(connection, "interface/relations", parameters))),
            functions=tuple(map(_function, _rows(connection, "interface/functions", parameters))),
            types=dict(map(_type, _rows(connection, "interface/types", {}))),
        )


def _rows(connection: Connection, name: str, parameters: dict[str, str]) -> list[tuple[Any, ...]]:
    return connection.execute(query(name).encode(), parameters).fetchall()


def _relation(row: tuple[Any, ...]) -> InterfaceRelation:
    name, kind, columns, privileges = row
    return InterfaceRelation(
        name,
        kind,
        tuple(InterfaceColumn(*column) for column in columns),
        {role: _grants(privileges, role) for role, _, _ in privileges},
    )


def _grants(privileges: list[tuple[str, str, str]], role: str) -> tuple[str, ...]:
    """Return the privileges of a role; those on columns follow those on the relation."""
    on_columns: dict[str, list[str]] = {}
    for grantee, privilege, column in privileges:
        if grantee == role and column:
            on_columns.setdefault(privilege, []).append(column)
    whole = sorted(word for grantee, word, column in privileges if grantee == role and not column)
    return (*whole, *(f"{word} ({', '.join(on_columns[word])})" for word in sorted(on_columns)))


def _function(row: tuple[Any, ...]) -> InterfaceFunction:
    name, kind, arguments, result, returns_set, columns, roles = row
    return InterfaceFunction(
        name,
        kind,
        tuple(
            FunctionArgument(word, type_name, optional == "true") for word, type_name, optional in arguments
        ),
        result,
        returns_set,
        tuple(InterfaceColumn(*column) for column in columns),
        tuple(roles),
    )


def _type(row: tuple[Any, ...]) -> tuple[str, InterfaceType]:
    name, base, labels, checks, columns = row
    if columns:
        return name, InterfaceType("record", (), tuple(InterfaceColumn(*column) for column in columns))
    if base is None:
        return name, InterfaceType("text", tuple(labels))
    return name, InterfaceType(base, next(filter(None, map(listed_values, checks)), ()))
