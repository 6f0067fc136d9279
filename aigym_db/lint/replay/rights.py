"""Replay of policies, privileges and roles."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from pglast import ast
from pglast.enums import GrantTargetType, ObjectType

from aigym_db.lint.chain import TABLE_PRIVILEGES, Chain, Grant
from aigym_db.lint.objects import Policy
from aigym_db.lint.replay.names import functions_named
from aigym_db.lint.step import StatementContext
from aigym_db.syntax.tree import PUBLIC, is_a, option, roles, words

_KINDS = {
    ObjectType.OBJECT_TABLE: "table",
    ObjectType.OBJECT_SCHEMA: "schema",
    ObjectType.OBJECT_SEQUENCE: "sequence",
    ObjectType.OBJECT_FUNCTION: "function",
    ObjectType.OBJECT_PROCEDURE: "function",
    ObjectType.OBJECT_ROUTINE: "function",
}
_ALL = {
    "table": TABLE_PRIVILEGES - {"maintain"},
    "schema": {"usage", "create"},
    "function": {"execute"},
    "sequence": {"usage", "select", "update"},
}


def _create_policy(step: StatementContext) -> None:
    tree, chain = step.tree, step.chain
    table = step.key(tree.table)
    policy = Policy(
        tree.policy_name,
        table,
        tree.cmd_name,
        tree.permissive,
        roles(tree.roles),
        tree.qual,
        tree.with_check,
        step.spot(),
    )
    chain.policies[table] = {**chain.policies.get(table, {}), policy.name: policy}


def _alter_policy(step: StatementContext) -> None:
    tree, chain = step.tree, step.chain
    table = step.key(tree.table)
    policy = chain.policies.get(table, {}).get(tree.policy_name)
    if policy is not None:
        changed = replace(
            policy,
            roles=roles(tree.roles) or policy.roles,
            using=tree.qual or policy.using,
            check=tree.with_check or policy.check,
            spot=step.spot(),
        )
        chain.policies[table] = {**chain.policies[table], policy.name: changed}


def _grant(step: StatementContext) -> None:
    tree, chain = step.tree, step.chain
    kind = _KINDS.get(tree.objtype)
    if kind is None:
        return
    names = tuple(_named(chain, tree, kind))
    if kind == "function":
        _grant_functions(step, names)
    for name in names:
        grants = dict(chain.grants.get(f"{kind} {name}", {}))
        for role in roles(tree.grantees):
            for privilege in privileges(tree, kind):
                if tree.is_grant:
                    grant = Grant(f"{kind} {name}", role, privilege, step.spot(), bool(tree.grant_option))
                    grants[role, privilege] = grant
                elif not tree.grant_option:
                    grants.pop((role, privilege), None)
        chain.grants[f"{kind} {name}"] = grants


def privileges(tree: Any, kind: str) -> frozenset[str]:
    """Return the privileges of a GRANT or REVOKE in lower case; ALL gives every privilege of the `kind`.

    A privilege on columns counts as one on the table.
    """
    if tree.privileges is None:
        return frozenset(_ALL[kind])
    return frozenset(item.priv_name for item in tree.privileges if item.priv_name)


def _named(chain: Chain, tree: Any, kind: str) -> Iterable[str]:
    if tree.targtype == GrantTargetType.ACL_TARGET_ALL_IN_SCHEMA:
        schemas = words(tree.objects)
        names: Iterable[str] = chain.relations if kind == "table" else ()
        if kind == "function":
            names = [function.signature for function in chain.every_function()]
        return [name for name in names if name.partition(".")[0] in schemas]
    if kind == "schema":
        return words(tree.objects)
    if kind == "function":
        return [function.signature for target in tree.objects for function in functions_named(chain, target)]
    return [chain.key(target) for target in tree.objects]


def _grant_functions(step: StatementContext, signatures: tuple[str, ...]) -> None:
    tree, chain = step.tree, step.chain
    if PUBLIC not in roles(tree.grantees):
        return
    for function in list(chain.every_function()):
        if function.signature in signatures:
            changed = replace(function, public=bool(tree.is_grant))
            chain.functions[function.name] = tuple(
                changed if other is function else other for other in chain.functions[function.name]
            )


def _default_privileges(step: StatementContext) -> None:
    tree, chain = step.tree.action, step.chain
    kind = _KINDS.get(tree.objtype)
    if kind is None:
        return
    schemas = words(option(step.tree.options, "schemas") or ()) or (None,)
    for schema in schemas:
        for role in roles(tree.grantees):
            for privilege in privileges(tree, kind):
                if tree.is_grant:
                    grant = Grant(f"default {kind}", role, privilege, step.spot(), bool(tree.grant_option))
                    chain.grant_by_default(schema, kind, grant)
                elif not tree.grant_option:
                    chain.revoke_default(schema, kind, role, privilege)


def _role(step: StatementContext) -> None:
    tree = step.tree
    name = tree.role if is_a(tree, ast.CreateRoleStmt) else tree.role.rolename
    for attribute in ("bypassrls", "superuser"):
        value = option(tree.options, attribute)
        if value is not None and getattr(value, "boolval", value):
            step.chain.bypassing.add(name)


HANDLERS: dict[type, Callable[[StatementContext], None]] = {
    ast.CreatePolicyStmt: _create_policy,
    ast.AlterPolicyStmt: _alter_policy,
    ast.GrantStmt: _grant,
    ast.AlterDefaultPrivilegesStmt: _default_privileges,
    ast.CreateRoleStmt: _role,
    ast.AlterRoleStmt: _role,
}
