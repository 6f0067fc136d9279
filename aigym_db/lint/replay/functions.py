"""Replay of functions and procedures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pglast import ast
from pglast.enums import FunctionParameterMode as Mode
from pglast.enums import VariableSetKind

from aigym_db.lint.objects import Function
from aigym_db.lint.replay.names import functions_named
from aigym_db.lint.step import StatementContext
from aigym_db.lint.types import type_of
from aigym_db.syntax.tree import constant, dotted, is_a, option, words

_INPUT = {Mode.FUNC_PARAM_DEFAULT, Mode.FUNC_PARAM_IN, Mode.FUNC_PARAM_INOUT, Mode.FUNC_PARAM_VARIADIC}


def search_path_after(setting: Any, before: tuple[str, ...] | None = None) -> tuple[str, ...] | None:
    """Return the search_path, one name per schema, after a SET or RESET statement or clause.

    Return `before` if `setting` is about another parameter, None if search_path is reset to its default.
    """
    if setting.kind == VariableSetKind.VAR_RESET_ALL:
        return None
    if setting.name != "search_path":
        return before
    if setting.kind in (VariableSetKind.VAR_RESET, VariableSetKind.VAR_SET_DEFAULT):
        return None
    return tuple(str(constant(value)) for value in setting.args or ())


def _create(step: StatementContext) -> None:
    tree, chain = step.tree, step.chain
    parts = words(tree.funcname)
    name = chain.place_for(parts[-2] if len(parts) > 1 else None, parts[-1])
    parameters = tree.parameters or ()
    arguments = tuple(str(type_of(node.argType)) for node in parameters if node.mode in _INPUT)
    language = option(tree.options, "language")
    volatility = option(tree.options, "volatility")
    path: tuple[str, ...] | None = None
    for element in tree.options or ():
        if element.defname == "set":
            path = search_path_after(element.arg, path)
    others = tuple(other for other in chain.functions.get(name, ()) if other.arguments != arguments)
    replaced = next((other for other in chain.functions.get(name, ()) if other.arguments == arguments), None)
    function = Function(
        name,
        arguments,
        step.spot(),
        language.sval.lower() if is_a(language, ast.String) else "sql",
        dotted(tree.returnType.names) if tree.returnType else "",
        definer=_is_on(option(tree.options, "security")),
        path=path,
        volatility=volatility.sval[0] if is_a(volatility, ast.String) else "v",
        tree=tree,
        public=replaced.public if replaced else chain.functions_executable_by_public,
    )
    chain.functions[name] = (*others, function)


def _alter(step: StatementContext) -> None:
    chain = step.chain
    for function in functions_named(chain, step.tree.func):
        changed = function
        for action in step.tree.actions:
            if action.defname == "security":
                changed = replace(changed, definer=_is_on(action.arg))
            elif action.defname == "set":
                changed = replace(changed, path=search_path_after(action.arg, changed.path))
            elif action.defname == "volatility":
                changed = replace(changed, volatility=action.arg.sval[0])
        chain.functions[function.name] = tuple(
            changed if other is function else other for other in chain.functions[function.name]
        )


def _is_on(node: Any) -> bool:
    return bool(getattr(node, "boolval", False))


HANDLERS: dict[type, Callable[[StatementContext], None]] = {
    ast.CreateFunctionStmt: _create,
    ast.AlterFunctionStmt: _alter,
}
