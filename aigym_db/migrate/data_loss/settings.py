"""Settings that change name resolution (search_path) or row visibility (role) for later statements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_RELEVANT = (None, "search_path", "role", "session_authorization")
"""None stands for RESET ALL, and for a setting whose name is only known at run time."""
_PLAIN = ("SelectStmt", "ResTarget", "FuncCall", "String", "A_Const", "Boolean", "TypeCast", "TypeName")
"""The nodes of a SELECT that has no effect beyond set_config()."""


def changes_names_or_role(tree: Any) -> bool:
    """Return whether a statement changes the search_path or the role."""
    return any(name in _RELEVANT for name in _settings(tree))


def search_path_statement(tree: Any) -> str | None:
    """Return a statement that only sets the search_path, to the value that `tree` sets.

    Return None if `tree` sets no search_path, or if the value is not known before it runs.
    """
    from pglast.stream import RawStream

    if {name for name in _settings(tree) if name in _RELEVANT} != {"search_path"}:
        return None
    if type(tree).__name__ != "VariableSetStmt" and not _is_plain(tree):
        return None
    return str(RawStream()(tree))


def _settings(tree: Any) -> Iterator[str | None]:
    """Yield the names of the settings that a statement sets."""
    from aigym_db.syntax.tree import walk, words

    for node, _, _ in walk(tree):
        if type(node).__name__ == "VariableSetStmt":
            yield node.name.lower() if node.name else None
        elif type(node).__name__ == "FuncCall" and words(node.funcname)[-1] == "set_config":
            name = getattr(getattr(node.args[0], "val", None), "sval", None) if node.args else None
            yield name.lower() if name is not None else None


def _is_plain(tree: Any) -> bool:
    from aigym_db.syntax.tree import walk, words

    return all(
        type(node).__name__ in _PLAIN
        and (type(node).__name__ != "FuncCall" or words(node.funcname)[-1] == "set_config")
        for node, _, _ in walk(tree)
    )
