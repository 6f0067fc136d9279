"""Indexes built and dropped: the one that is there is ours, somebody else's, or half of one."""

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
    """What has a name that is an index's, or is to be."""

    oid: int
    name: str
    """With its schema, quoted where it has to be."""
    kind: str
    """What it is, in words: an index, a table, …"""
    table: int | None
    """The table it is an index of; None when it is no index."""
    usable: bool
    """Whether it is valid, ready and live, all three."""
    definition: str
    partitioned: bool
    """Whether it is that of a partitioned table: made with ON ONLY, it is valid once all its parts are."""
    builder: int | None
    """The session that builds it now."""


class CreateIndex(Probe):
    """CREATE INDEX, CONCURRENTLY or not."""

    hints: Mapping[str, str] = {
        "0A000": "Create the index `on only` the partitioned table, build one concurrently on each "
        "partition, and attach those with `alter index … attach partition …`."
    }

    def __init__(self, connection: Connection[Any], tree: Any, text: str) -> None:
        super().__init__(connection, tree, text)
        self.waits = bool(tree.concurrent)

    def ready(self) -> Verdict:
        table, found = self._found()
        if found is None:
            return Verdict("again")
        if found.table != table:
            return _taken(f"{found.name} already exists and is {found.kind}", found)
        if found.builder is not None:
            return _elsewhere(found)
        differs = difference(self.connection, found.oid, table, self.tree, self.text)
        if differs:
            state = "already exists" if found.usable else "already exists, INVALID,"
            return _taken(f"the index {found.name} {state} with another definition", found, differs)
        by_design = found.partitioned and not self.tree.relation.inh
        if not found.usable and not by_design:
            return _drop(found)
        if self.tree.if_not_exists:
            return Verdict("done", note=f"{found.name} was there with the same definition, and valid")
        return _taken(f"the index {found.name} already exists, with the same definition", found)

    def before(self) -> Known:
        _, found = self._found()
        return {"index": found.oid if found else None}

    def settle(self, known: Known) -> Verdict:
        table, found = self._found()
        if found is None:
            return Verdict("again", note=f"the index {self.tree.idxname} is not there")
        if found.oid == known.get("index") or found.table != table:
            return Verdict("again", note=f"{found.name} is there, but not from this statement")
        if found.builder is not None:
            return _elsewhere(found)
        if not found.usable:
            return _drop(found)
        differs = difference(self.connection, found.oid, table, self.tree, self.text)
        if differs:
            return _taken(f"the index {found.name} is there with another definition", found, differs)
        return Verdict("done", note=f"the index {found.name} is there and valid")

    def lacks(self, known: Known) -> str:
        table, found = self._found()
        if found is None or found.table != table:
            return f"there is no index {self.tree.idxname}"
        if not found.usable:
            return f"the index {found.name} is INVALID"
        # IF NOT EXISTS may have met one that was made after we looked.
        return self.tree.if_not_exists and difference(self.connection, found.oid, table, self.tree, self.text)

    def _found(self) -> tuple[int | None, CatalogIndex | None]:
        table = names.relation(self.connection, self.tree.relation)
        if table is None or not self.tree.idxname:
            return table, None
        parameters = {"table": table, "name": self.tree.idxname}
        row = row_without_jit(self.connection, "migrate/index", parameters)
        return table, None if row is None else CatalogIndex(*row)


class DropIndex(Probe):
    """DROP INDEX CONCURRENTLY, which takes one index."""

    waits = True
    hints: Mapping[str, str] = {
        "0A000": "Drop the index without `concurrently`: that of a partitioned table goes in one go with "
        "those of its partitions."
    }

    def before(self) -> Known:
        return {"index": names.listed(self.connection, self.tree.objects[0])}

    def settle(self, known: Known) -> Verdict:
        named = ".".join(part.sval for part in self.tree.objects[0])
        oid = known["index"] if "index" in known else names.listed(self.connection, self.tree.objects[0])
        if oid is None and "index" in known:
            return Verdict("again", note=f"the index {named} was not there to be dropped")
        row = oid and row_without_jit(self.connection, "migrate/index_state", {"index": oid})
        if not row:
            return Verdict("done", note=f"the index {named} is gone")
        name, usable = row
        if usable:
            return Verdict("again", note=f"the index {name} is still there")
        return Verdict(
            "again",
            note=f"the index {name} is INVALID, half dropped",
            hint=f"Finish it by hand with `drop index concurrently {name}`, or restore the statement.",
            half=True,
        )


def _drop(found: CatalogIndex) -> Verdict:
    if found.partitioned:
        return _taken(f"{found.name} already exists, INVALID because a partition has no part of it", found)
    return Verdict(
        "again",
        (f"drop index concurrently {found.name}",),
        f"the index {found.name} is INVALID",
        half=True,
    )


def _elsewhere(found: CatalogIndex) -> Verdict:
    return Verdict(
        "elsewhere",
        note=f"pid {found.builder} is building the index {found.name} now",
        hint="Wait for that session to finish, or end it, then run this again.",
    )


def _taken(what: str, found: CatalogIndex, differs: str = "") -> Verdict:
    return Verdict(
        "taken",
        note=what,
        hint=(f"Look at it: it is `{found.definition}`. " if found.table is not None else "")
        + (f"{differs} " if differs else "")
        + (
            f"Give the new index another name, or drop it: `drop index concurrently {found.name}`."
            if found.table is not None
            else "Give the new index another name."
        ),
    )
