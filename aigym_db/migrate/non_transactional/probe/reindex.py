"""REINDEX CONCURRENTLY, which leaves indexes named `…_ccnew` or `…_ccold` if it is interrupted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from aigym_db.database.queries import rows_without_jit
from aigym_db.migrate.non_transactional.probe import names
from aigym_db.migrate.non_transactional.probe.verdict import Known, Probe, Verdict

_SCOPE = {
    "REINDEX_OBJECT_INDEX": "index",
    "REINDEX_OBJECT_TABLE": "table",
    "REINDEX_OBJECT_SCHEMA": "schema",
}
"""The scope of each kind of statement; that of all others is the database."""


@dataclass(frozen=True, slots=True)
class ReindexedIndex:
    """An index of a table whose indexes are rebuilt."""

    oid: int
    name: str
    """The schema-qualified name, quoted as necessary."""
    usable: bool
    requested: bool
    """True if the statement rebuilds it; False if it is only on the same table."""
    transient: bool
    """True if it is INVALID and has the name of a transient index of REINDEX CONCURRENTLY."""
    builder: int | None
    """The process ID of the session that is building it."""
    droppable: bool
    """True if this role may drop it; in pg_toast only a superuser may."""


class Reindex(Probe):
    """REINDEX INDEX, TABLE, SCHEMA or DATABASE with CONCURRENTLY."""

    waits = True

    def __init__(self, connection: Connection[Any], tree: Any, text: str) -> None:
        super().__init__(connection, tree, text)
        self.scope = _SCOPE.get(tree.kind.name, "database")

    def ready(self) -> Verdict:
        skipped = [
            index.name
            for index in self._indexes()
            if not index.usable and index.builder is None and (index.droppable or not index.transient)
        ]
        # REINDEX INDEX rebuilds an INVALID index; REINDEX TABLE, SCHEMA and DATABASE skip it with a WARNING.
        if not skipped or self.scope == "index":
            return Verdict("again")
        return Verdict(
            "taken",
            note=f"{', '.join(skipped)} {'is' if len(skipped) == 1 else 'are'} INVALID, and PostgreSQL "
            "skips invalid indexes",
            hint="Run "
            + " ".join(f"`reindex index concurrently {name}`" for name in skipped)
            + " before this statement, or drop the index if it is not used.",
        )

    def before(self) -> Known:
        indexes = self._indexes()
        known: dict[str, Any] = {"invalid": [index.oid for index in indexes if not index.usable]}
        if self.scope in ("index", "table"):
            known["indexes"] = [index.oid for index in indexes if index.usable and index.requested]
        return known

    def verdict(self, known: Known) -> Verdict:
        indexes = self._indexes()
        # An index that was INVALID before the statement is not dropped, whatever its name.
        ours = [index for index in indexes if index.transient and index.oid not in known.get("invalid", ())]
        busy = next((index for index in ours if index.builder is not None), None)
        if busy is not None:
            return Verdict(
                "running",
                note=f"pid {busy.builder} is building the index {busy.name} now",
                hint="Wait for that session to finish, or end it, then run the command again.",
            )
        repair = tuple(f"drop index concurrently {index.name}" for index in ours if index.droppable)
        droppable = ", ".join(index.name for index in ours if index.droppable)
        warning = " ".join(
            f"{index.name} remains from an interrupted REINDEX, and only a superuser may drop it: "
            f"`drop index concurrently {index.name}`. It takes disk space and slows writes down, but does no "
            "other harm."
            for index in ours
            if not index.droppable
        )
        requested = [index for index in indexes if index.requested and index not in ours]
        rebuilt = known.get("indexes") and not {index.oid for index in requested} & set(known["indexes"])
        if rebuilt and requested and all(index.usable for index in requested):
            return Verdict("done", repair, "every index was rebuilt", partial=bool(repair), warning=warning)
        return Verdict(
            "again",
            repair,
            f"{droppable} {'remains' if len(repair) == 1 else 'remain'} from an interrupted REINDEX"
            if repair
            else "it can be repeated",
            partial=bool(repair),
            warning=warning,
        )

    def defect(self, known: Known) -> str:
        bad = [
            index.name
            for index in self._indexes()
            if not index.usable
            and index.builder is None
            and ((index.requested and self.scope == "index") or index.oid not in known.get("invalid", ()))
        ]
        return f"{', '.join(bad)} {'is' if len(bad) == 1 else 'are'} INVALID" if bad else ""

    def _indexes(self) -> list[ReindexedIndex]:
        node = self.tree.relation
        parameters = {
            "scope": self.scope,
            "relation": names.relation(self.connection, node) if node is not None else None,
            "schema": self.tree.name,
        }
        rows = rows_without_jit(self.connection, "migrate/reindexed", parameters)
        return [ReindexedIndex(*row) for row in rows]
