"""Keys, columns, grants and triggers of the tables in the catalog."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import psycopg
from psycopg.rows import dict_row

from aigym_db.database.queries import query


@dataclass(frozen=True, slots=True)
class TableColumn:
    """The properties of a column that matter for writing it."""

    name: str
    quoted: str
    type: str
    generated: bool
    identity: bool
    required: bool
    """NOT NULL."""
    unique: bool
    """In a unique index: a blind write must give every row another value."""
    tied: bool
    """In the key, a check constraint, a policy or the partition key: a blind write could violate it."""


@dataclass(frozen=True, slots=True)
class Grants:
    """The privileges of a role on a table, and whether it bypasses row-level security."""

    bypasses: bool
    selects: frozenset[str]
    inserts: frozenset[str]
    updates: frozenset[str]
    deletes: bool


@dataclass(frozen=True, slots=True)
class FiringCommands:
    """The commands (insert, update, delete) on a table that fire a trigger or a rule."""

    any: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()
    """Those with a BEFORE trigger or a rule, which can change the row that WITH CHECK evaluates."""
    per_statement: frozenset[str] = frozenset()
    """Those with a statement-level trigger or a rule, which fires although no row is affected."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table or partitioned table; partitions belong to their parent."""

    name: str
    """`schema.table`, as in the access matrix."""
    quoted: str
    alias: str
    """The name without its schema, quoted."""
    protected: bool
    """Row-level security is on."""
    partitioned: bool
    key: tuple[str, ...]
    """Primary key; every column where there is none."""
    columns: Mapping[str, TableColumn]
    grants: Mapping[str, Grants]
    """By role."""
    triggers: FiringCommands

    @property
    def key_sql(self) -> str:
        """An expression that identifies a row: the key as text, several columns separated by `|`."""
        return " || '|' || ".join(f"coalesce({self.columns[name].quoted}::text, '')" for name in self.key)


def tables(connection: psycopg.Connection, roles: Collection[str]) -> Mapping[str, Table]:
    """Read every table that is not a system table, with the privileges of the roles."""
    with connection.cursor(row_factory=dict_row) as cursor:
        grants: dict[str, dict[str, Grants]] = {}
        for row in cursor.execute(query("access/privileges"), {"roles": sorted(roles)}):
            grants.setdefault(row["name"], {})[row["role"]] = Grants(
                row["bypasses"],
                frozenset(row["selects"]),
                frozenset(row["inserts"]),
                frozenset(row["updates"]),
                row["deletes"],
            )
        triggers = {
            row["name"]: FiringCommands(
                frozenset(row["commands"]), frozenset(row["before"]), frozenset(row["per_statement"])
            )
            for row in cursor.execute(query("access/triggers"))
        }
        by_name = {}
        for row in cursor.execute(query("access/tables")):
            name = f"{row['schema']}.{row['name']}"
            columns = {column["name"]: TableColumn(**column) for column in row["columns"] or ()}
            by_name[name] = Table(
                name,
                row["quoted"],
                row["alias"],
                row["protected"],
                row["partitioned"],
                tuple(row["key"]) or tuple(columns),
                columns,
                grants.get(name, {}),
                triggers.get(name, FiringCommands()),
            )
        return by_name
