"""DETACH PARTITION … CONCURRENTLY: two transactions, with `inhdetachpending` set between them."""

from __future__ import annotations

from typing import Any

from aigym_db.database.queries import row_without_jit
from aigym_db.migrate.non_transactional.probe import names
from aigym_db.migrate.non_transactional.probe.verdict import Known, Probe, Verdict
from aigym_db.syntax.quote import quoted


class DetachPartition(Probe):
    """ALTER TABLE … DETACH PARTITION … CONCURRENTLY, which is the only command of its statement."""

    waits = True

    def before(self) -> Known:
        return {"attached": self._pending() is not None}

    def verdict(self, known: Known) -> Verdict:
        partition, pending = _shown(self._partition), self._pending()
        if pending:
            finish = f"alter table {_shown(self.tree.relation)} detach partition {partition} finalize"
            return Verdict(
                "again",
                note=f"{self._partition.relname} is partially detached",
                hint=f"Finish it by hand with `{finish}`, or restore the statement.",
                partial=True,
                instead=finish,
            )
        if pending is None and known.get("attached", True):
            return Verdict("done", note=f"{self._partition.relname} is detached")
        still = "not a partition" if pending is None else "still attached"
        return Verdict("again", note=f"{self._partition.relname} is {still}")

    def defect(self, known: Known) -> str:
        return "" if self._pending() is None else f"{self._partition.relname} is still attached"

    @property
    def _partition(self) -> Any:
        return self.tree.cmds[0].def_.name

    def _pending(self) -> bool | None:
        """Return `inhdetachpending` of the partition; None if it is not a partition of that table."""
        parent = names.relation(self.connection, self.tree.relation)
        partition = names.relation(self.connection, self._partition)
        parameters = {"parent": parent, "partition": partition}
        row = row_without_jit(self.connection, "migrate/partition", parameters)
        return None if row is None else bool(row[0])


def _shown(node: Any) -> str:
    return quoted(node.schemaname, node.relname)
