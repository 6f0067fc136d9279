"""Replay of transactions, settings and enum values."""

from __future__ import annotations

from collections.abc import Callable

from pglast import ast
from pglast.enums import TransactionStmtKind as Kind

from aigym_db.lint.replay.functions import search_path_after
from aigym_db.lint.step import StatementContext
from aigym_db.syntax.tree import constant, words

_BEGINS = {Kind.TRANS_STMT_BEGIN, Kind.TRANS_STMT_START}
_ENDS = {Kind.TRANS_STMT_COMMIT, Kind.TRANS_STMT_PREPARE}


def _transaction(step: StatementContext) -> None:
    kind, chain = step.tree.kind, step.chain
    if kind in _BEGINS:
        chain.begin(step.spot())
    elif kind == Kind.TRANS_STMT_ROLLBACK:
        chain.rollback()
    elif kind in _ENDS:
        chain.commit()


def _setting(step: StatementContext) -> None:
    tree, chain = step.tree, step.chain
    name = (tree.name or "").lower()
    if name == "search_path":
        chain.set_parameter(name, search_path_after(tree) or ())
    else:
        chain.set_parameter(name, tuple(str(constant(value)) for value in tree.args or ()))


def _enum(step: StatementContext) -> None:
    transaction, tree = step.chain.transaction, step.tree
    if transaction is None or tree.oldVal or not tree.newVal:
        return
    known = step.chain.type(".".join(words(tree.typeName)))
    if known is None or known.name not in transaction.new_types:
        transaction.enum_values.add(tree.newVal)


HANDLERS: dict[type, Callable[[StatementContext], None]] = {
    ast.TransactionStmt: _transaction,
    ast.VariableSetStmt: _setting,
    ast.AlterEnumStmt: _enum,
}
