"""Policy that reads its own table, or a table whose policies lead back to it.

Reading a table applies its policies; a policy that reads it again never ends. PostgreSQL refuses every query
that applies the policy: "infinite recursion detected in policy". A policy FOR INSERT, UPDATE or DELETE that
reads its own table fails as soon as the policy FOR SELECT holds any subquery; `(select auth.uid())` is one.

Bad:
    create table iam.members (tenant_id bigint not null, user_id uuid not null);
    alter table iam.members enable row level security;
    create policy members_select on iam.members for select to authenticated
        using (exists (select 1 from iam.members m where m.user_id = (select auth.uid())));

Good:
    create table iam.members (tenant_id bigint not null, user_id uuid not null);
    alter table iam.members enable row level security;
    create function iam.my_tenants() returns setof bigint
        language sql stable security definer set search_path = ''
        as $$ select tenant_id from iam.members where user_id = auth.uid() $$;
    revoke execute on function iam.my_tenants() from public;
    create policy members_select on iam.members for select to authenticated
        using (tenant_id = any (array(select iam.my_tenants())));

Source: PostgreSQL, SQLSTATE 42P17.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pglast import ast

from aigym_db.lint.chain import Chain
from aigym_db.lint.objects import Policy
from aigym_db.lint.policies import every_policy, expressions, spot
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import shown
from aigym_db.syntax.tree import is_a, nodes

_READS = ("all", "select")


@rule("RLS11", "policy-recursion", since="0.1", on=Chain, level="error")
def check(chain: Chain) -> Iterator[RuleMatch]:
    leads_to = _reading(chain)
    for policy in every_policy(chain):
        if chain.relation(policy.table).known and not chain.relation(policy.table).rls:
            continue
        if not any(map(_holds_subquery, _for_reading(chain, policy.table))):
            continue
        for table, node in _read(chain, policy):
            way = _way(leads_to, table, policy.table)
            if way is not None:
                path = " → ".join(shown(name) for name in (policy.table, *way))
                yield RuleMatch(
                    spot(policy, node),
                    f"Every query that applies policy {policy.name} of {shown(policy.table)} fails: it "
                    f"reads {path}.",
                    "Read it in a SECURITY DEFINER function instead, whose owner the policies do not hold.",
                )
                break


def _reading(chain: Chain) -> dict[str, set[str]]:
    """For each table with policies: the tables that reading it makes PostgreSQL read."""
    found: dict[str, set[str]] = {}
    for policy in every_policy(chain):
        relation = chain.relation(policy.table)
        if policy.command in _READS and (relation.rls or not relation.known):
            found.setdefault(policy.table, set()).update(table for table, _ in _read(chain, policy))
    for view in chain.relations.values():
        if view.kind == "view" and view.security_invoker:
            found[view.name] = set(view.sources)
    return found


def _for_reading(chain: Chain, table: str) -> Iterator[Policy]:
    return (policy for policy in chain.policies_of(table) if policy.command in _READS)


def _holds_subquery(policy: Policy) -> bool:
    return any(is_a(node, ast.SubLink) for _, expression in expressions(policy) for node in nodes(expression))


def _read(chain: Chain, policy: Policy) -> Iterator[tuple[str, Any]]:
    for _, expression in expressions(policy):
        for node in nodes(expression):
            if is_a(node, ast.RangeVar):
                yield chain.key(node), node


def _way(leads_to: dict[str, set[str]], start: str, goal: str) -> tuple[str, ...] | None:
    """How reading one table comes to reading another."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    while ways:
        way = ways.pop(0)
        if way[-1] == goal:
            return way
        further = leads_to.get(way[-1], set()) - seen
        seen |= further
        ways.extend((*way, table) for table in sorted(further))
    return None
