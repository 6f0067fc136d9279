"""CREATE INDEX and DROP INDEX: the existing index may be complete, INVALID or unrelated to the statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from aigym_db.database.queries import row_without_jit
from aigym_db.migrate.non_transactional.probe import names
from aigym_db.migrate.non_transactional.probe.definition import difference
from aigym_db.migrate.non_transactional.probe.verdict import Known, Probe, Verdict


@dataclass(frozen=True, slots=True)
class CatalogIndex:
    """The relation that has the name of a statement's index."""

    oid: int
    name: str
    """The schema-qualified name, quoted as necessary."""
    kind: str
    """The kind with its article: an index, a table, …"""
    table: int | None
    """The OID of the table it indexes; None if it is not an index."""
    usable: bool
    """True if it is valid, ready and live."""
    definition: str
    partitioned: bool
    """True for the index of a partitioned table. Created with ON ONLY, it becomes valid once an index of each
    partition is attached."""
    builder: int | None
    """The process ID of the session that is building it."""


class CreateIndex(Probe):
    """CREATE INDEX, with or without CONCURRENTLY."""

    hints: Mapping[str, str] = {
        "0A000": "Create the index `on only` the partitioned table, build one concurrently on each "
        "partition, and attach those with `alter index … attach partition …`."
    }

    def __init__(self, connection: Connection[Any], tree: Any, text: str) -> None:
        super().__init__(connection, tree, text)
        self.waits = bool(tree.concurrent)

    def ready(self) -> Verdict:
        table, index = self._lookup()
        if index is None:
            return Verdict("again")
        if index.table != table:
            return _taken(f"{index.name} already exists and is {index.kind}", index)
        if index.builder is not None:
            return _elsewhere(index)
        differs = difference(self.connection, index.oid, table, self.tree, self.text)
        if differs:
            state = "already exists" if index.usable else "already exists, INVALID,"
            return _taken(f"the index {index.name} {state} with another definition", index, differs)
        by_design = index.partitioned and not self.tree.relation.inh
        if not index.usable and not by_design:
            return _drop(index)
        if self.tree.if_not_exists:
            return Verdict("done", note=f"{index.name} already existed with the same definition, valid")
        return _taken(f"the index {index.name} already exists, with the same definition", index)

    def before(self) -> Known:
        _, index = self._lookup()
        return {"index": index.oid if index else None}

    def verdict(self, known: Known) -> Verdict:
        table, index = self._lookup()
        if index is None:
            return Verdict("again", note=f"the index {self.tree.idxname} does not exist")
        if index.oid == known.get("index") or index.table != table:
            return Verdict("again", note=f"{index.name} exists, but was not created by this statement")
        if index.builder is not None:
            return _elsewhere(index)
        if not index.usable:
            return _drop(index)
        differs = difference(self.connection, index.oid, table, self.tree, self.text)
        if differs:
            return _taken(f"the index {index.name} exists with another definition", index, differs)
        return Verdict("done", note=f"the index {index.name} exists and is valid")

    def defect(self, known: Known) -> str:
        table, index = self._lookup()
        if index is None or index.table != table:
            return f"the index {self.tree.idxname} does not exist"
        if not index.usable:
            return f"the index {index.name} is INVALID"
        # With IF NOT EXISTS, another session may have created an index of that name after `ready`.
        if self.tree.if_not_exists and difference(self.connection, index.oid, table, self.tree, self.text):
            return f"the index {index.name} has another definition"
        return ""

    def _lookup(self) -> tuple[int | None, CatalogIndex | None]:
        """Return the OID of the statement's table and the relation that has the name of its index."""
        table = names.relation(self.connection, self.tree.relation)
        if table is None or not self.tree.idxname:
            return table, None
        parameters = {"table": table, "name": self.tree.idxname}
        row = row_without_jit(self.connection, "migrate/index", parameters)
        return table, None if row is None else CatalogIndex(*row)


class DropIndex(Probe):
    """DROP INDEX CONCURRENTLY, which accepts one index only."""

    waits = True
    hints: Mapping[str, str] = {
        "0A000": "Drop the index without `concurrently`: the index of a partitioned table is dropped with "
        "those of its partitions."
    }

    def before(self) -> Known:
        return {"index": names.listed(self.connection, self.tree.objects[0])}

    def verdict(self, known: Known) -> Verdict:
        named = ".".join(part.sval for part in self.tree.objects[0])
        oid = known["index"] if "index" in known else names.listed(self.connection, self.tree.objects[0])
        if oid is None and "index" in known:
            return Verdict("again", note=f"the index {named} did not exist before the statement")
        row = oid and row_without_jit(self.connection, "migrate/index_state", {"index": oid})
        if not row:
            return Verdict("done", note=f"the index {named} is dropped")
        name, usable = row
        if usable:
            return Verdict("again", note=f"the index {name} still exists")
        return Verdict(
            "again",
            note=f"the index {name} is INVALID, partially dropped",
            hint=f"Finish it by hand with `drop index concurrently {name}`, or restore the statement.",
            partial=True,
        )


def _drop(index: CatalogIndex) -> Verdict:
    if index.partitioned:
        return _taken(
            f"{index.name} already exists, INVALID because the index of a partition is not attached", index
        )
    return Verdict(
        "again",
        (f"drop index concurrently {index.name}",),
        f"the index {index.name} is INVALID",
        partial=True,
    )


def _elsewhere(index: CatalogIndex) -> Verdict:
    return Verdict(
        "running",
        note=f"pid {index.builder} is building the index {index.name} now",
        hint="Wait for that session to finish, or end it, then run the command again.",
    )


def _taken(note: str, index: CatalogIndex, differs: str = "") -> Verdict:
    return Verdict(
        "taken",
        note=note,
        hint=(f"Compare the existing index: `{index.definition}`. " if index.table is not None else "")
        + (f"{differs} " if differs else "")
        + (
            f"Give the new index another name, or drop it: `drop index concurrently {index.name}`."
            if index.table is not None
            else "Give the new index another name."
        ),
    )
