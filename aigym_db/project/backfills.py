"""Statements that can run as a backfill: in batches, in a part with the marker option `batch:`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

HOW = "Write one UPDATE or DELETE whose condition is false for every row it has changed."
_CLOCKS = {"now", "transaction_timestamp", "statement_timestamp", "clock_timestamp", "timeofday"}


@dataclass(frozen=True, slots=True)
class Objection:
    """The reason why a statement cannot run in batches."""

    message: str
    hint: str
    node: Any = None
    """The node that prevents it, or None for the whole statement."""


def objection(tree: Any) -> Objection | None:
    """Return the reason why a statement, given as its parse tree, cannot run in batches; None if it can."""
    kind = type(tree).__name__
    if kind not in ("UpdateStmt", "DeleteStmt"):
        return Objection(
            "Only an UPDATE or a DELETE can run in batches.", f"Remove the option `batch`. {HOW}"
        )
    if tree.returningClause:
        return Objection("A backfill returns no rows.", "Remove RETURNING.", tree.returningClause.exprs[0])
    for cte in tree.withClause.ctes if tree.withClause else ():
        if type(cte.ctequery).__name__ != "SelectStmt":
            return Objection(
                f"`{cte.ctename}` changes rows, and would do so again in every batch.",
                "Move that change to a separate migration.",
                cte,
            )
    if tree.whereClause is None:
        return Objection(
            "A backfill needs a WHERE that is false for changed rows: a changed row may move to a later page "
            "and would be changed again.",
            HOW,
        )
    if type(tree.whereClause).__name__ == "CurrentOfExpr":
        return Objection("WHERE CURRENT OF is not possible in a backfill: it has no cursor.", HOW)
    clock = _clock(tree.whereClause) if kind == "UpdateStmt" else None
    if clock is not None:
        return Objection(
            "Each batch is a separate transaction with its own current time, so a row changed in one batch "
            "may match again in a later one.",
            "Write the time as a constant, as in `'2026-01-31'`, or do not compare times.",
            clock,
        )
    return None


def _clock(condition: Any) -> Any:
    """Return the first function in a condition that reads the current time, or None."""
    from aigym_db.syntax.tree import nodes

    clocks = (node for node in nodes(condition) if _reads_time(node))
    return min(clocks, key=lambda node: node.location, default=None)


def _reads_time(node: Any) -> bool:
    match type(node).__name__:
        case "FuncCall":
            name = node.funcname[-1].sval
            return name in _CLOCKS or (name == "age" and len(node.args or ()) == 1)
        case "SQLValueFunction":
            return "TIME" in node.op.name or "DATE" in node.op.name
    return False
