"""Databases, tablespaces and subscriptions: what reaches beyond the database, made or dropped."""

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
"""What a statement is about, and where its tree has the name."""


class _Shared(Probe):
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


class CreateClusterObject(_Shared):
    """CREATE DATABASE, TABLESPACE or SUBSCRIPTION: its row of the catalog is the last thing it writes."""

    hints: Mapping[str, str] = {
        "42710": "Look at what has the name already. A subscription that was cut short may have left its "
        "replication slot at the publisher: drop it there with `select pg_drop_replication_slot(…)`."
    }

    def settle(self, known: Known) -> Verdict:
        oid = self._oid()
        if oid is None:
            return Verdict("again", note=f"there is no {self.kind} {self.name}")
        if oid == known.get("oid"):
            return Verdict("again", note=f"the {self.kind} {self.name} is there, but not from this statement")
        return Verdict("done", note=f"the {self.kind} {self.name} is there")


class DropClusterObject(_Shared):
    """DROP DATABASE, TABLESPACE or SUBSCRIPTION; a database that is half dropped is dropped once more."""

    def settle(self, known: Known) -> Verdict:
        oid = self._oid()
        if oid is not None and oid == known.get("oid", oid):
            return Verdict("again", note=f"the {self.kind} {self.name} is still there")
        if "oid" in known and known["oid"] is None:
            return Verdict("again", note=f"the {self.kind} {self.name} was not there to be dropped")
        return Verdict("done", note=f"the {self.kind} {self.name} is gone")
