"""Keys, columns, grants and triggers of the tables in the catalog."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import psycopg
from psycopg.rows import dict_row

from aigym_db.database.queries import query
from aigym_db.model.access import Command


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
    """In a unique index: an UPDATE of all rows must give each another value."""
    tied: bool
    """In the key, a check constraint, a policy or the partition key: such an UPDATE could violate it."""


@dataclass(frozen=True, slots=True)
class Grants:
    """The privileges of a role on a table, and whether it bypasses row-level security."""

    bypasses: bool
    selects: frozenset[str]
    inserts: frozenset[str]
    updates: frozenset[str]
    deletes: bool

    def allow(self, command: Command) -> bool:
        """Return True if the role has the privilege for a command on the table or on one of its columns."""
        return {
            "select": bool(self.selects),
            "insert": bool(self.inserts),
            "update": bool(self.updates),
            "delete": self.deletes,
            "reassign": bool(self.updates),
        }[command]


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
    """The columns of the primary key; all columns of a table without one."""
    columns: Mapping[str, TableColumn]
    grants: Mapping[str, Grants]
    """By role."""
    triggers: FiringCommands

    @property
    def key_sql(self) -> str:
        """The SQL expression of the key of a row: its columns as text, separated by `|`."""
        return " || '|' || ".join(f"coalesce({self.columns[name].quoted}::text, '')" for name in self.key)


def tables(connection: psycopg.Connection, roles: Collection[str]) -> Mapping[str, Table]:
    """Return the tables of all schemas but those of the system and the ledger, by `schema.table`.

    Each has the privileges of those `roles` that exist.
    """
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
