"""SECURITY DEFINER function that executes dynamic SQL.

Text that a caller can influence is executed as SQL with the owner's privileges. Literals are safe, and so are
format() with only %I and %L, and concatenation with quote_ident() and quote_literal().

Bad:
    create function ops.count_rows(name text) returns bigint
        language plpgsql security definer set search_path = ''
        as $$
        declare total bigint;
        begin
            execute 'select count(*) from ' || name into total;
            return total;
        end $$;
    revoke execute on function ops.count_rows(text) from public;

Good:
    create function ops.count_rows(name text) returns bigint
        language plpgsql security definer set search_path = ''
        as $$
        declare total bigint;
        begin
            execute format('select count(*) from ops.%I', name) into total;
            return total;
        end $$;
    revoke execute on function ops.count_rows(text) from public;

Source: PostgreSQL documentation, PL/pgSQL, "Executing Dynamic Commands".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pglast import ast

from aigym_db.lint.chain import Chain
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.section import Spot
from aigym_db.lint.types import type_of
from aigym_db.syntax.body import body_of, inner, parse_expression
from aigym_db.syntax.tree import column_names, constant, dotted, is_a

_QUOTING = {"quote_ident", "quote_literal", "quote_nullable"}
_HARMLESS = {"regclass", "regtype", "regrole", "regnamespace", "oid", "int2", "int4", "int8", "bool", "uuid"}
"""Types whose text form is a quoted name or cannot contain a quote."""
_SPECIFIER = re.compile(r"%(?:(\d+)\$)?-?\d*([sIL%])")


@rule("FUNC04", "definer-dynamic-sql", since="0.1", on=Chain, level="error")
def check(chain: Chain) -> Iterator[RuleMatch]:
    for function in chain.every_function():
        statement = function.spot.statement
        if not function.definer or function.language != "plpgsql" or statement.tree is not function.tree:
            continue
        body = body_of(statement)
        if body is None:
            continue
        harmless = _harmless_names(function.tree)
        for command in inner(body):
            if command.kind != "execute" or _is_safe(parse_expression(command.text), harmless):
                continue
            place = command.within(body, statement)
            yield RuleMatch(
                Spot(function.spot.section, place, place.start),
                f"{function.signature} executes dynamic SQL with its owner's privileges. A caller "
                "who can influence the text can do anything the owner can.",
                "Build the text with format() and only %I and %L, and pass values with USING.",
            )


def _harmless_names(tree: Any) -> frozenset[str]:
    """Return the names of the parameters whose text needs no quoting."""
    parameters = tree.parameters or ()
    return frozenset(
        item.name for item in parameters if item.name and type_of(item.argType).name in _HARMLESS
    )


def _is_safe(expression: Any, harmless: frozenset[str]) -> bool:
    """Return whether every part is a literal, quoted, or of a type that cannot contain a quote."""
    if is_a(expression, ast.A_Const):
        return True
    if is_a(expression, ast.ColumnRef):
        return column_names(expression) <= harmless and bool(column_names(expression))
    if is_a(expression, ast.TypeCast):
        return type_of(expression.typeName).name in _HARMLESS or _is_safe(expression.arg, harmless)
    if is_a(expression, ast.A_Expr) and expression.name and expression.name[-1].sval == "||":
        return _is_safe(expression.lexpr, harmless) and _is_safe(expression.rexpr, harmless)
    if is_a(expression, ast.FuncCall):
        name = dotted(expression.funcname)
        return name in _QUOTING or (name == "format" and _formats_safely(expression, harmless))
    return False


def _formats_safely(call: Any, harmless: frozenset[str]) -> bool:
    arguments = call.args or ()
    pattern = constant(arguments[0]) if arguments else None
    if not isinstance(pattern, str) or call.func_variadic:
        return False
    position = 0
    for specifier in _SPECIFIER.finditer(pattern):
        if specifier[2] == "%":
            continue
        position = int(specifier[1]) if specifier[1] else position + 1
        inserted = arguments[position] if position < len(arguments) else None
        if specifier[2] == "s" and not _is_safe(inserted, harmless):
            return False
    return True
