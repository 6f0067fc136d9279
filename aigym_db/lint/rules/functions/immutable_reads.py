"""IMMUTABLE function that reads a setting, the clock or a table.

PostgreSQL evaluates the function once during planning and stores the value in the plan. In a policy, this
returns the rows of one tenant to another: the second execution of a prepared statement uses the value
computed for the first.

Bad:
    create function iam.current_tenant() returns bigint
        language sql immutable
        as $$ select current_setting('app.tenant', true)::bigint $$;

Good:
    create function iam.current_tenant() returns bigint
        language sql stable
        as $$ select current_setting('app.tenant', true)::bigint $$;

Source: PostgreSQL documentation, Function Volatility Categories; measured on PostgreSQL 15, 16 and 18.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pglast import ast

from aigym_db.lint.chain import Chain
from aigym_db.lint.objects import Function
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.volatility import VOLATILE
from aigym_db.syntax.body import body_of, statements
from aigym_db.syntax.tree import dotted, is_a, nodes

_STABLE = {"current_setting", "now", "transaction_timestamp", "statement_timestamp", "to_regclass"}


@rule("FUNC05", "immutable-reads", since="0.1", on=Chain, level="error")
def check(chain: Chain) -> Iterator[RuleMatch]:
    for function in chain.every_function():
        if function.volatility != "i":
            continue
        source = next((source for tree in _trees(function) if (source := _source(tree, chain))), "")
        if source:
            yield RuleMatch(
                function.spot,
                f"{function.signature} is IMMUTABLE and reads {source}: its value may be cached and "
                "returned to another caller.",
                "Declare it STABLE.",
            )


def _trees(function: Function) -> Iterator[Any]:
    if function.tree.sql_body is not None:
        yield function.tree.sql_body
    statement = function.spot.statement
    if statement.tree is not function.tree:
        return
    body = body_of(statement)
    if body is not None:
        for inner, _ in statements(statement.source, body, statement):
            yield inner.tree


def _source(tree: Any, chain: Chain) -> str:
    own = {item.ctename for item in nodes(tree) if is_a(item, ast.CommonTableExpr)}
    for node in nodes(tree):
        if is_a(node, ast.SQLValueFunction):
            return str(node.op.name.removeprefix("SVFOP_")).lower()
        if is_a(node, ast.FuncCall):
            name = dotted(node.funcname)
            changing = any(other.volatility != "i" for other in chain.overloads(name))
            if name in _STABLE or name in VOLATILE or changing:
                return f"{name}()"
        if is_a(node, ast.RangeVar) and (node.schemaname or node.relname not in own):
            return f"the table {node.relname}"
    return ""
