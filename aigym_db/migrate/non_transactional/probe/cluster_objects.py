"""CREATE and DROP of databases, tablespaces and subscriptions, which have effects outside the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import Connection

from aigym_db.database.queries import row_without_jit
from aigym_db.migrate.non_transactional.probe.verdict import Known, Probe, Verdict

_NAMES = {
    "CreatedbStmt": ("database", "dbname"),
    "DropdbStmt": ("database", "dbname"),
    "CreateTableSpaceStmt": ("tablespace", "tablespacename"),
    "DropTableSpaceStmt": ("tablespace", "tablespacename"),
    "CreateSubscriptionStmt": ("subscription", "subname"),
    "DropSubscriptionStmt": ("subscription", "subname"),
}
"""The kind of object of a statement, and the attribute of its parse tree that contains the name."""


class _ClusterObject(Probe):
    repeatable = True

    def __init__(self, connection: Connection[Any], tree: Any, text: str) -> None:
        super().__init__(connection, tree, text)
        self.kind, attribute = _NAMES[type(tree).__name__]
        self.name = str(getattr(tree, attribute))

    def before(self) -> Known:
        return {"oid": self._oid()}

    def _oid(self) -> int | None:
        parameters = {"kind": self.kind, "name": self.name}
        row = row_without_jit(self.connection, "migrate/shared", parameters)
        return None if row is None else int(row[0])


class CreateClusterObject(_ClusterObject):
    """CREATE DATABASE, TABLESPACE or SUBSCRIPTION: its catalog row is committed last."""

    hints: Mapping[str, str] = {
        "42710": "Check the existing object of that name. An interrupted CREATE SUBSCRIPTION may leave its "
        "replication slot on the publisher: drop it there with `select pg_drop_replication_slot(…)`."
    }

    def verdict(self, known: Known) -> Verdict:
        oid = self._oid()
        if oid is None:
            return Verdict("again", note=f"the {self.kind} {self.name} does not exist")
        if oid == known.get("oid"):
            return Verdict("again", note=f"the {self.kind} {self.name} existed before this statement")
        return Verdict("done", note=f"the {self.kind} {self.name} exists")


class DropClusterObject(_ClusterObject):
    """DROP DATABASE, TABLESPACE or SUBSCRIPTION; a partially dropped database is dropped again."""

    def verdict(self, known: Known) -> Verdict:
        oid = self._oid()
        if oid is not None and oid == known.get("oid", oid):
            return Verdict("again", note=f"the {self.kind} {self.name} still exists")
        if "oid" in known and known["oid"] is None:
            return Verdict("again", note=f"the {self.kind} {self.name} did not exist before the statement")
        return Verdict("done", note=f"the {self.kind} {self.name} is dropped")
