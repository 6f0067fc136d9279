"""What became of a statement outside a transaction that nobody saw the end of: the catalog is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from psycopg import Connection

from aigym_db.database.queries import query
from aigym_db.migrate.quoting import quoted

Outcome = Literal["done", "again", "unknown", "elsewhere"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do about a statement."""

    outcome: Outcome
    """done: it happened. again: it did not, or running it once more does no harm. unknown: only a person can
    tell. elsewhere: somebody else is at it now."""
    repair: tuple[str, ...] = ()
    """Statements to run first, each outside a transaction: half of it happened."""
    note: str = ""
    instead: str | None = field(default=None)
    """What to run in its place to finish it."""


def before(connection: Connection[Any], tree: Any) -> Mapping[str, Any]:
    """What has to be known of the catalog before a statement is sent, to tell afterwards whether it
    happened."""
    if type(tree).__name__ == "IndexStmt":
        found = _index(connection, tree)
        return {"index": found[0] if found else None}
    return {}


def settle(connection: Connection[Any], tree: Any, known: Mapping[str, Any], *, failed: bool) -> Verdict:
    """What became of a statement that was begun; `known` is what `before` said, `failed` that the server
    refused it."""
    match type(tree).__name__:
        case "IndexStmt":
            return _settle_index(connection, tree, known, failed)
        case "DropStmt":
            names = [_name(part) for part in tree.objects]
            left = [name for name in names if _exists(connection, name)]
            return Verdict(
                "again" if left else "done", note=f"{', '.join(names)} {'is there' if left else 'is gone'}"
            )
        case "AlterTableStmt":
            return _settle_detach(connection, tree)
        case "VacuumStmt" | "ReindexStmt" | "ClusterStmt" | "AlterSystemStmt" | "CheckPointStmt":
            return Verdict("again", note="it may be run as often as one likes")
    return Verdict("again" if failed else "unknown")


def unusable(connection: Connection[Any], tree: Any) -> Verdict | None:
    """What to do about an invalid index that already has the name of the one to build; None when there is
    none."""
    found = _index(connection, tree) if type(tree).__name__ == "IndexStmt" else None
    return None if found is None or found[1] else _half(tree, found)


def _settle_index(connection: Connection[Any], tree: Any, known: Mapping[str, Any], failed: bool) -> Verdict:
    found = _index(connection, tree)
    if found is None:
        return Verdict("again", note=f"the index {tree.idxname} is not there")
    oid, usable, _ = found
    if not usable:
        return _half(tree, found)
    if failed or oid == known.get("index"):
        return Verdict("again", note=f"the index {tree.idxname} is there, but not from this statement")
    return Verdict("done", note=f"the index {tree.idxname} is there and valid")


def _half(tree: Any, found: tuple[int, bool, int | None]) -> Verdict:
    if found[2] is not None:
        return Verdict("elsewhere", note=f"pid {found[2]} is building the index {tree.idxname} now")
    schema = [tree.relation.schemaname] if tree.relation.schemaname else []
    name = ".".join(quoted(part) for part in [*schema, tree.idxname])
    return Verdict("again", (f"drop index concurrently {name}",), f"the index {tree.idxname} was INVALID")


def _settle_detach(connection: Connection[Any], tree: Any) -> Verdict:
    parent = _relation(tree.relation)
    for command in tree.cmds:
        partition = _relation(command.def_.name)
        names = {"parent": parent, "partition": partition}
        row = connection.execute(query("migrate/partition"), names).fetchone()
        if row is not None and row[0]:
            return Verdict(
                "again",
                note=f"detaching {partition} was begun",
                instead=f"alter table {parent} detach partition {partition} finalize",
            )
        if row is not None:
            return Verdict("again", note=f"{partition} is still attached")
    return Verdict("done", note="the partition is detached")


def _index(connection: Connection[Any], tree: Any) -> tuple[int, bool, int | None] | None:
    names = {"table": _relation(tree.relation), "name": tree.idxname}
    row = connection.execute(query("migrate/index"), names).fetchone()
    return None if row is None else (row[0], row[1], row[2])


def _exists(connection: Connection[Any], name: str) -> bool:
    row = connection.execute(query("migrate/relation"), {"name": name}).fetchone()
    return row is not None and bool(row[0])


def _relation(node: Any) -> str:
    return ".".join(quoted(part) for part in (node.schemaname, node.relname) if part)


def _name(parts: Any) -> str:
    return ".".join(quoted(part.sval) for part in parts)
