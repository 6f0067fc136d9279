"""Which statement changes what in the chain."""

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
    """Takes the chain of a step past its statement; what no rule asks about leaves it as it is."""
    handler = _HANDLERS.get(type(step.tree))
    if handler is not None and step.body != "function":
        handler(step)
