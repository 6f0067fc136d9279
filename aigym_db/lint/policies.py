"""Policies and their expressions."""

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
    """Return the policies of all tables of the catalog."""
    return (policy for policies in chain.policies.values() for policy in policies.values())


def expressions(policy: Policy) -> Iterator[tuple[str, Any]]:
    """Yield the conditions of a policy as pairs `("USING", tree)` and `("WITH CHECK", tree)`.

    A WITH CHECK equal to USING is left out.
    """
    if policy.using is not None:
        yield "USING", policy.using
    if policy.check is not None and policy.check != policy.using:
        yield "WITH CHECK", policy.check


def spot_in_policy(policy: Policy, node: Any = None) -> Spot:
    """Return the position in the SQL of a node of a policy's expression.

    Without a node, or if the node comes from an earlier statement, return the position of the CREATE or ALTER
    POLICY that last changed the policy.
    """
    statement, location = policy.spot.statement, getattr(node, "location", None)
    if isinstance(location, int) and statement.start <= location < statement.end:
        return Spot(policy.spot.section, statement, location)
    return Spot(policy.spot.section, statement, policy.spot.index)


def same_role(policy: Policy, other: Policy) -> bool:
    """Return True if a role can be subject to both policies: a common role, or PUBLIC in one of them."""
    return bool(set(policy.roles) & set(other.roles)) or PUBLIC in policy.roles + other.roles


def same_command(policy: Policy, other: Policy) -> bool:
    """Return True if both policies apply to the same command, or one of them to ALL."""
    return policy.command == other.command or "all" in (policy.command, other.command)


def bare_calls(chain: Chain, expression: Any) -> Iterator[ast.FuncCall]:
    """Yield the calls that PostgreSQL evaluates for every row although they do not depend on it.

    Calls in the target list of a SELECT without FROM are evaluated once per statement and left out.
    """
    for call, once in _calls(expression, False):
        if not once and _is_reported(chain, dotted(call.funcname)) and not reads_columns(call):
            yield call


def row_calls(chain: Chain, expression: Any) -> Iterator[ast.FuncCall]:
    """Yield the calls of the project's functions with a column of the row as argument."""
    for call, _ in _calls(expression, False):
        if (
            _is_reported(chain, dotted(call.funcname))
            and dotted(call.funcname) != "current_setting"
            and reads_columns(call)
        ):
            yield call


def reads_columns(expression: Any) -> bool:
    """Return True if an expression contains a column reference."""
    return any(is_a(node, ast.ColumnRef) for node in nodes(expression))


def is_per_row(expression: Any) -> bool:
    """Return True if the value of a condition can differ between two rows of the table.

    A subquery can if it uses a column that belongs to none of its own tables.
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
        no_source = is_a(query, ast.SelectStmt) and not query.fromClause and not query.whereClause
        yield from _calls(node.testexpr, once)
        yield from _calls(query, once=scalar and no_source)
        return
    for child in children(node):
        yield from _calls(child, once)


def _is_reported(chain: Chain, name: str) -> bool:
    """Return whether calling a function for every row is reported: current_setting(), or not built in."""
    known = chain.overloads(name)
    if known:
        return any(function.volatility != "i" for function in known)
    return name == "current_setting" or "." in name
