"""Statements that PostgreSQL rejects inside a transaction block (SQLSTATE 25001)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def rejected_in_block(tree: Any) -> str | None:
    """Return the command in words if PostgreSQL always rejects it inside a transaction block, else None.

    Not included are statements for which it depends on the catalog: DROP SUBSCRIPTION (only with a
    replication slot), CLUSTER and REINDEX of a partitioned table. Source: callers of
    PreventInTransactionBlock in PostgreSQL 15 to 18.
    """
    rule = _RULES.get(type(tree).__name__)
    return rule(tree) if rule else None


def rejection(command: str, block: str = "a transaction block") -> str:
    """Return the sentence that PostgreSQL rejects `command`, as `rejected_in_block` names it, in a block."""
    return f"{command} cannot run inside {block}."


def _index(tree: Any) -> str | None:
    return "CREATE INDEX CONCURRENTLY" if tree.concurrent else None


def _drop(tree: Any) -> str | None:
    return "DROP INDEX CONCURRENTLY" if tree.concurrent else None


def _reindex(tree: Any) -> str | None:
    from aigym_db.syntax.tree import is_on

    if tree.kind.name in ("REINDEX_OBJECT_SCHEMA", "REINDEX_OBJECT_SYSTEM", "REINDEX_OBJECT_DATABASE"):
        return "REINDEX of a schema or database"
    return "REINDEX CONCURRENTLY" if is_on(tree.params, "concurrently") else None


def _vacuum(tree: Any) -> str | None:
    return "VACUUM" if tree.is_vacuumcmd else None


def _cluster(tree: Any) -> str | None:
    return "CLUSTER without a table" if tree.relation is None else None


def _alter_table(tree: Any) -> str | None:
    concurrent = any(getattr(command.def_, "concurrent", False) for command in tree.cmds)
    return "DETACH PARTITION CONCURRENTLY" if concurrent else None


def _alter_database(tree: Any) -> str | None:
    moves = any(element.defname == "tablespace" for element in tree.options or ())
    return "ALTER DATABASE SET TABLESPACE" if moves else None


def _create_subscription(tree: Any) -> str | None:
    from aigym_db.syntax.tree import is_off

    slotless = is_off(tree.options, "connect") or is_off(tree.options, "create_slot")
    return None if slotless else "CREATE SUBSCRIPTION with a replication slot"


def _alter_subscription(tree: Any) -> str | None:
    from aigym_db.syntax.tree import is_off, option

    kind = tree.kind.name.removeprefix("ALTER_SUBSCRIPTION_")
    if kind.startswith("REFRESH"):
        return "ALTER SUBSCRIPTION REFRESH PUBLICATION"
    if kind in ("SET_PUBLICATION", "ADD_PUBLICATION", "DROP_PUBLICATION"):
        refreshes = not is_off(tree.options, "refresh")
        return f"ALTER SUBSCRIPTION {kind.replace('_', ' ')} with refresh" if refreshes else None
    if kind == "OPTIONS" and (option(tree.options, "failover") or is_off(tree.options, "two_phase")):
        return "ALTER SUBSCRIPTION of a slot's properties"
    return None


def _discard(tree: Any) -> str | None:
    return "DISCARD ALL" if tree.target.name == "DISCARD_ALL" else None


def _transaction(tree: Any) -> str | None:
    prepared = tree.kind.name.endswith(("COMMIT_PREPARED", "ROLLBACK_PREPARED"))
    return tree.kind.name.removeprefix("TRANS_STMT_").replace("_", " ") if prepared else None


_RULES: dict[str, Callable[[Any], str | None]] = {
    "IndexStmt": _index,
    "DropStmt": _drop,
    "ReindexStmt": _reindex,
    "VacuumStmt": _vacuum,
    "ClusterStmt": _cluster,
    "AlterTableStmt": _alter_table,
    "AlterDatabaseStmt": _alter_database,
    "CreateSubscriptionStmt": _create_subscription,
    "AlterSubscriptionStmt": _alter_subscription,
    "DiscardStmt": _discard,
    "TransactionStmt": _transaction,
    "CreatedbStmt": lambda _: "CREATE DATABASE",
    "DropdbStmt": lambda _: "DROP DATABASE",
    "CreateTableSpaceStmt": lambda _: "CREATE TABLESPACE",
    "DropTableSpaceStmt": lambda _: "DROP TABLESPACE",
    "AlterSystemStmt": lambda _: "ALTER SYSTEM",
}

NODE_CLASSES = tuple(_RULES)
"""Names of the node classes of all statements that may be rejected."""
