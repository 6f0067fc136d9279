"""REINDEX CONCURRENTLY, which leaves indexes with `_ccnew` or `_ccold` behind when it is cut short."""

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
"""How far it reaches; all others are about the database."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An index on a table whose indexes are rebuilt."""

    oid: int
    name: str
    """With its schema, quoted where it has to be."""
    usable: bool
    asked: bool
    """Whether it is one of those to be rebuilt, and not only beside them."""
    leftover: bool
    """Whether it is INVALID and named as PostgreSQL names what it builds beside an index it rebuilds."""
    builder: int | None
    """The session that builds it now."""
    droppable: bool
    """Whether this role may name it: in pg_toast only a superuser may."""


class Reindex(Probe):
    """REINDEX INDEX, TABLE, SCHEMA or DATABASE with CONCURRENTLY."""

    waits = True

    def __init__(self, connection: Connection[Any], tree: Any, text: str) -> None:
        super().__init__(connection, tree, text)
        self.scope = _SCOPE.get(tree.kind.name, "database")

    def ready(self) -> Verdict:
        skipped = [
            seen.name
            for seen in self._seen()
            if not seen.usable and seen.builder is None and (seen.droppable or not seen.leftover)
        ]
        # By its name an INVALID index is rebuilt; as one of many it is left as it is, with a WARNING.
        if not skipped or self.scope == "index":
            return Verdict("again")
        return Verdict(
            "taken",
            note=f"{', '.join(skipped)} {'is' if len(skipped) == 1 else 'are'} INVALID, and PostgreSQL "
            "leaves such an index out",
            hint="Run "
            + " ".join(f"`reindex index concurrently {name}`" for name in skipped)
            + ", or drop what nobody needs, before this.",
        )

    def before(self) -> Known:
        seen = self._seen()
        known: dict[str, Any] = {"invalid": [index.oid for index in seen if not index.usable]}
        if self.scope in ("index", "table"):
            known["indexes"] = [index.oid for index in seen if index.usable and index.asked]
        return known

    def settle(self, known: Known) -> Verdict:
        seen = self._seen()
        # One that was INVALID before is not ours to drop, whatever its name.
        ours = [index for index in seen if index.leftover and index.oid not in known.get("invalid", ())]
        busy = next((index for index in ours if index.builder is not None), None)
        if busy is not None:
            return Verdict(
                "elsewhere",
                note=f"pid {busy.builder} is building the index {busy.name} now",
                hint="Wait for that session to finish, or end it, then run this again.",
            )
        repair = tuple(f"drop index concurrently {index.name}" for index in ours if index.droppable)
        left = ", ".join(index.name for index in ours if index.droppable)
        warning = " ".join(
            f"{index.name} is left of a REINDEX that was cut short, and only a superuser may remove it: "
            f"`drop index concurrently {index.name}`. It costs space and time, and harms nothing."
            for index in ours
            if not index.droppable
        )
        asked = [index for index in seen if index.asked and index not in ours]
        rebuilt = known.get("indexes") and not {index.oid for index in asked} & set(known["indexes"])
        if rebuilt and asked and all(index.usable for index in asked):
            return Verdict("done", repair, "every index was built anew", half=bool(repair), warning=warning)
        return Verdict(
            "again",
            repair,
            f"{left} {'is' if len(repair) == 1 else 'are'} left of a REINDEX that was cut short"
            if repair
            else "it may be run as often as one likes",
            half=bool(repair),
            warning=warning,
        )

    def lacks(self, known: Known) -> str:
        bad = [
            index.name
            for index in self._seen()
            if not index.usable
            and index.builder is None
            and ((index.asked and self.scope == "index") or index.oid not in known.get("invalid", ()))
        ]
        return f"{', '.join(bad)} {'is' if len(bad) == 1 else 'are'} INVALID" if bad else ""

    def _seen(self) -> list[Seen]:
        node = self.tree.relation
        parameters = {
            "scope": self.scope,
            "relation": names.relation(self.connection, node) if node is not None else None,
            "schema": self.tree.name,
        }
        return [Seen(*row) for row in rows_without_jit(self.connection, "migrate/reindexed", parameters)]
