"""Which statements can be made in batches: what a part that says `batch:` may hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

HOW = "Write one UPDATE or DELETE whose condition is no longer true of a row that is done."
_CLOCKS = {"now", "transaction_timestamp", "statement_timestamp", "clock_timestamp", "timeofday"}


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a statement cannot be made in batches."""

    message: str
    hint: str
    node: Any = None
    """The part of it that is in the way; None is the statement."""


def objection(tree: Any) -> Objection | None:
    """Why the statement with this parse tree cannot be made in batches; None when it can."""
    kind = type(tree).__name__
    if kind not in ("UpdateStmt", "DeleteStmt"):
        return Objection(
            "Only an UPDATE or a DELETE can be made in batches.", f"Remove the option `batch`. {HOW}"
        )
    if tree.returningClause:
        return Objection(
            "Nobody reads what a backfill returns.", "Remove RETURNING.", tree.returningClause.exprs[0]
        )
    for one in tree.withClause.ctes if tree.withClause else ():
        if type(one.ctequery).__name__ != "SelectStmt":
            return Objection(
                f"`{one.ctename}` changes rows, and would do so again in every batch.",
                "Put that change into a migration of its own.",
                one,
            )
    if tree.whereClause is None:
        return Objection(
            "A backfill needs a WHERE that tells a row that is done from one that is not: a changed row may "
            "move to a later page and would be changed again.",
            HOW,
        )
    if type(tree.whereClause).__name__ == "CurrentOfExpr":
        return Objection("A backfill has no cursor.", HOW)
    clock = _clock(tree.whereClause) if kind == "UpdateStmt" else None
    if clock is not None:
        return Objection(
            "Each batch is a transaction with a time of its own, so a row that was done in one may match "
            "again in a later one.",
            "Write the moment as a constant, as in `'2026-01-31'`, or compare no times.",
            clock,
        )
    return None


def _clock(condition: Any) -> Any:
    """Where a condition asks what time it is; None when it does not."""
    from pglast.visitors import Visitor

    found: list[Any] = []

    class Clocks(Visitor):
        def visit_FuncCall(self, _: Any, node: Any) -> None:  # noqa: N802
            name = node.funcname[-1].sval
            if name in _CLOCKS or (name == "age" and len(node.args or ()) == 1):
                found.append(node)

        def visit_SQLValueFunction(self, _: Any, node: Any) -> None:  # noqa: N802
            if "TIME" in node.op.name or "DATE" in node.op.name:
                found.append(node)

    Clocks()(condition)
    return min(found, key=lambda node: node.location, default=None)
