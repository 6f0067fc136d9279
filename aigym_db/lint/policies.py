"""Reading the expressions of policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pglast import ast
from pglast.enums import SubLinkType

from aigym_db.lint.chain import Chain
from aigym_db.lint.objects import Policy
from aigym_db.lint.section import Spot
from aigym_db.syntax.tree import PUBLIC, children, dotted, is_a, nodes


def every_policy(chain: Chain) -> Iterator[Policy]:
    """All policies of all tables."""
    return (policy for mine in chain.policies.values() for policy in mine.values())


def expressions(policy: Policy) -> Iterator[tuple[str, Any]]:
    """USING and WITH CHECK, as far as the policy has them; said once when they are the same."""
    if policy.using is not None:
        yield "USING", policy.using
    if policy.check is not None and policy.check != policy.using:
        yield "WITH CHECK", policy.check


def spot(policy: Policy, node: Any = None) -> Spot:
    """Where a node of a policy stands, or the statement that last said what the policy is."""
    statement, at = policy.spot.statement, getattr(node, "location", None)
    inside = isinstance(at, int) and statement.start <= at < statement.end
    return Spot(policy.spot.passage, statement, at if inside and at is not None else policy.spot.index)


def same_role(one: Policy, other: Policy) -> bool:
    """Whether some role is held to both policies."""
    return bool(set(one.roles) & set(other.roles)) or PUBLIC in one.roles or PUBLIC in other.roles


def same_command(one: Policy, other: Policy) -> bool:
    return one.command == other.command or "all" in (one.command, other.command)


def bare_calls(chain: Chain, expression: Any) -> Iterator[ast.FuncCall]:
    """Calls that PostgreSQL makes again for every row though they do not depend on it.

    Not those in the target list of a SELECT without FROM: that is computed once per statement.
    """
    for call, once in _calls(expression, False):
        if not once and _may_cost(chain, dotted(call.funcname)) and not reads_columns(call):
            yield call


def row_calls(chain: Chain, expression: Any) -> Iterator[ast.FuncCall]:
    """Calls of the project's functions with a column of the row."""
    for call, _ in _calls(expression, False):
        if (
            _may_cost(chain, dotted(call.funcname))
            and dotted(call.funcname) != "current_setting"
            and reads_columns(call)
        ):
            yield call


def reads_columns(expression: Any) -> bool:
    return any(is_a(node, ast.ColumnRef) for node in nodes(expression))


def is_per_row(expression: Any) -> bool:
    """Whether a condition can differ between two rows of the table.

    A subquery counts when it uses a column that none of its own tables can be meant by.
    """
    if is_a(expression, ast.ColumnRef):
        return True
    if is_a(expression, ast.SubLink):
        return is_per_row(expression.testexpr) or _is_correlated(expression.subselect)
    if isinstance(expression, tuple):
        return any(is_per_row(item) for item in expression)
    if is_a(expression, ast.Node):
        return any(
            is_per_row(value)
            for name in expression
            if is_a(value := getattr(expression, name), ast.Node, tuple)
        )
    return False


def _is_correlated(query: Any) -> bool:
    names = {
        node.alias.aliasname if node.alias else node.relname
        for node in nodes(query)
        if is_a(node, ast.RangeVar)
    }
    names |= {
        node.alias.aliasname
        for node in nodes(query)
        if is_a(node, ast.RangeFunction, ast.RangeSubselect) and node.alias
    }
    for node in nodes(query):
        if is_a(node, ast.ColumnRef) and is_a(node.fields[0], ast.String):
            qualified = len(node.fields) > 1
            if (qualified and node.fields[-2].sval not in names) or (not qualified and not names):
                return True
    return False


def _calls(node: Any, once: bool) -> Iterator[tuple[ast.FuncCall, bool]]:
    if is_a(node, ast.FuncCall):
        yield node, once
    if is_a(node, ast.SubLink):
        query = node.subselect
        scalar = node.subLinkType in (
            SubLinkType.EXPR_SUBLINK,
            SubLinkType.ARRAY_SUBLINK,
            SubLinkType.ANY_SUBLINK,
        )
        free = is_a(query, ast.SelectStmt) and not query.fromClause and not query.whereClause
        yield from _calls(node.testexpr, once)
        yield from _calls(query, once=scalar and free)
        return
    for child in children(node):
        yield from _calls(child, once)


def _may_cost(chain: Chain, name: str) -> bool:
    """Whether calling a function for every row is worth a word: it reads a setting, or is not "
    "PostgreSQL's own."""
    known = chain.function(name)
    if known:
        return any(function.volatility != "i" for function in known)
    return name == "current_setting" or "." in name
