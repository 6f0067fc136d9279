"""Settings that decide which objects the names of later statements mean, and whose rows are seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_DECIDING = (None, "search_path", "role", "session_authorization")
"""None stands for a setting whose name is only known when the statement runs, and for all of them."""
_PLAIN = ("SelectStmt", "ResTarget", "FuncCall", "String", "A_Const", "Boolean", "TypeCast", "TypeName")
"""What a SELECT is made of that does no more than to set what it says."""


def decides(tree: Any) -> bool:
    """Whether a statement sets what names mean, or who acts."""
    return any(name in _DECIDING for name in _set(tree))


def path(tree: Any) -> str | None:
    """A statement that sets the search_path as this one does, without any other effect; None when nobody
    can tell what this one sets, or that it sets no search_path."""
    from pglast.stream import RawStream

    if {name for name in _set(tree) if name in _DECIDING} != {"search_path"}:
        return None
    if type(tree).__name__ != "VariableSetStmt" and not _is_plain(tree):
        return None
    return str(RawStream()(tree))


def _set(tree: Any) -> Iterator[str | None]:
    """The names of the settings that a statement sets."""
    from aigym_db.syntax.tree import strings, walk

    for node, _, _ in walk(tree):
        if type(node).__name__ == "VariableSetStmt":
            yield node.name.lower() if node.name else None
        elif type(node).__name__ == "FuncCall" and strings(node.funcname)[-1] == "set_config":
            name = getattr(getattr(node.args[0], "val", None), "sval", None) if node.args else None
            yield name.lower() if name is not None else None


def _is_plain(tree: Any) -> bool:
    from aigym_db.syntax.tree import strings, walk

    return all(
        type(node).__name__ in _PLAIN
        and (type(node).__name__ != "FuncCall" or strings(node.funcname)[-1] == "set_config")
        for node, _, _ in walk(tree)
    )
