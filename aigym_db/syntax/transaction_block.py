"""What PostgreSQL takes outside a transaction block only."""

from __future__ import annotations

from typing import Any


def only_outside(tree: Any) -> str | None:
    """What PostgreSQL refuses inside a transaction block, in words; None when it does not.

    Source: the callers of PreventInTransactionBlock in PostgreSQL 18.
    """
    match type(tree).__name__:
        case "IndexStmt" if tree.concurrent:
            return "CREATE INDEX CONCURRENTLY"
        case "DropStmt" if tree.concurrent:
            return "DROP INDEX CONCURRENTLY"
        case "ReindexStmt":
            if tree.kind.name in (
                "REINDEX_OBJECT_SCHEMA",
                "REINDEX_OBJECT_SYSTEM",
                "REINDEX_OBJECT_DATABASE",
            ):
                return "REINDEX of a whole schema or database"
            concurrently = any(option.defname == "concurrently" for option in tree.params or ())
            return "REINDEX CONCURRENTLY" if concurrently else None
        case "VacuumStmt" if tree.is_vacuumcmd:
            return "VACUUM"
        case "ClusterStmt" if tree.relation is None:
            return "CLUSTER of every table"
        case "AlterTableStmt" if any(getattr(command.def_, "concurrent", False) for command in tree.cmds):
            return "DETACH PARTITION CONCURRENTLY"
        case "CreateSubscriptionStmt" if not _without_slot(tree):
            return "CREATE SUBSCRIPTION with a replication slot"
        case kind:
            return _OUTSIDE.get(kind)


_OUTSIDE = {
    "CreatedbStmt": "CREATE DATABASE",
    "DropdbStmt": "DROP DATABASE",
    "CreateTableSpaceStmt": "CREATE TABLESPACE",
    "DropTableSpaceStmt": "DROP TABLESPACE",
    "AlterSystemStmt": "ALTER SYSTEM",
}


def _without_slot(tree: Any) -> bool:
    off = {"false", "off", "0", "no"}
    return any(
        option.defname in ("connect", "create_slot")
        and option.arg is not None
        and str(getattr(option.arg, "sval", getattr(option.arg, "ival", ""))).lower() in off
        for option in tree.options or ()
    )
