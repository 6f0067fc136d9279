"""The outcome of an interrupted non-transactional statement, determined from the catalog."""

from __future__ import annotations

import re
from typing import Any

from psycopg import Connection

from aigym_db.migrate.non_transactional.probe.cluster_objects import CreateClusterObject, DropClusterObject
from aigym_db.migrate.non_transactional.probe.index import CreateIndex, DropIndex
from aigym_db.migrate.non_transactional.probe.partition import DetachPartition
from aigym_db.migrate.non_transactional.probe.reindex import Reindex
from aigym_db.migrate.non_transactional.probe.verdict import Opaque, Probe, Repeatable, Vacuum, Verdict

__all__ = ["Probe", "Verdict", "may_commit", "probe"]


def probe(connection: Connection[Any], tree: Any, text: str) -> Probe:
    """Return the probe that determines from the catalog whether a statement has taken effect.

    `text` is the SQL of the statement, `tree` its parse tree.
    """
    return _kind(tree)(connection, tree, text)


def may_commit(tree: Any) -> bool:
    """True if a statement may contain COMMIT or ROLLBACK and therefore cannot run in a transaction block."""
    match type(tree).__name__:
        case "CallStmt":
            return True
        case "DoStmt":
            from aigym_db.syntax.body import code_of

            language, text, _ = code_of(tree) or ("plpgsql", "", None)
            return language != "plpgsql" or bool(_ENDS.search(text))
    return False


_ENDS = re.compile(r"\b(?:commit|rollback|call|execute|do)\b", re.IGNORECASE)
"""Without one of these words a block of PL/pgSQL cannot end a transaction."""


def _kind(tree: Any) -> type[Probe]:
    match type(tree).__name__:
        case "IndexStmt":
            return CreateIndex
        case "DropStmt" if tree.concurrent:
            return DropIndex
        case "ReindexStmt" if any(option.defname == "concurrently" for option in tree.params or ()):
            return Reindex
        case "AlterTableStmt" if any(getattr(command.def_, "concurrent", False) for command in tree.cmds):
            return DetachPartition
        case "VacuumStmt":
            return Vacuum
        case "CreatedbStmt" | "CreateTableSpaceStmt" | "CreateSubscriptionStmt":
            return CreateClusterObject
        case "DropdbStmt" | "DropTableSpaceStmt" | "DropSubscriptionStmt":
            return DropClusterObject
        case "ReindexStmt" | "ClusterStmt" | "AlterSystemStmt" | "AlterDatabaseStmt":
            return Repeatable
        case "AlterSubscriptionStmt" if tree.kind.name.endswith(("_REFRESH", "_SET_PUBLICATION")):
            return Repeatable
    return Opaque
