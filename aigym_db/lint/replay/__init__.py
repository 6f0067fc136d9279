"""Replay: apply the effect of a statement to the chain."""

from __future__ import annotations

from aigym_db.lint.replay import alter, functions, names, rights, session, tables
from aigym_db.lint.step import StatementContext

_HANDLERS = (
    tables.HANDLERS
    | alter.HANDLERS
    | names.HANDLERS
    | functions.HANDLERS
    | rights.HANDLERS
    | session.HANDLERS
)


def replay(step: StatementContext) -> None:
    """Apply a statement to the chain of its context; statements that no rule depends on change nothing."""
    handler = _HANDLERS.get(type(step.tree))
    if handler is not None and step.body != "function":
        handler(step)
