"""Policy that reads its own table, or a table whose policies read it.

Reading a table applies its policies, so a policy that reads its own table recurses. PostgreSQL rejects every
query to which the policy applies: "infinite recursion detected in policy". A policy FOR INSERT, UPDATE or
DELETE that reads its own table fails if the policy FOR SELECT contains any subquery, including `(select
auth.uid())`.

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
from aigym_db.lint.policies import every_policy, expressions, spot_in_policy
from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import shown
from aigym_db.syntax.tree import is_a, nodes

_READS = ("all", "select")


@rule("RLS11", "policy-recursion", since="0.1", on=Chain, level="error")
def check(chain: Chain) -> Iterator[RuleMatch]:
    reads_by_table = _tables_read(chain)
    for policy in every_policy(chain):
        if chain.relation(policy.table).known and not chain.relation(policy.table).rls:
            continue
        if not any(map(_has_subquery, _read_policies(chain, policy.table))):
            continue
        for table, node in _relations_in(chain, policy):
            tables = _path(reads_by_table, table, policy.table)
            if tables is not None:
                path = " → ".join(shown(name) for name in (policy.table, *tables))
                yield RuleMatch(
                    spot_in_policy(policy, node),
                    f"Every query to which policy {policy.name} of {shown(policy.table)} applies fails "
                    f"with infinite recursion: {path}.",
                    "Read the table in a SECURITY DEFINER function whose owner is exempt from the policies.",
                )
                break


def _tables_read(chain: Chain) -> dict[str, set[str]]:
    """Return, for each table with policies, the tables that PostgreSQL reads to apply them."""
    reads: dict[str, set[str]] = {}
    for policy in every_policy(chain):
        relation = chain.relation(policy.table)
        if policy.command in _READS and (relation.rls or not relation.known):
            reads.setdefault(policy.table, set()).update(table for table, _ in _relations_in(chain, policy))
    for view in chain.relations.values():
        if view.kind == "view" and view.security_invoker:
            reads[view.name] = set(view.sources)
    return reads


def _read_policies(chain: Chain, table: str) -> Iterator[Policy]:
    return (policy for policy in chain.policies_of(table) if policy.command in _READS)


def _has_subquery(policy: Policy) -> bool:
    return any(is_a(node, ast.SubLink) for _, expression in expressions(policy) for node in nodes(expression))


def _relations_in(chain: Chain, policy: Policy) -> Iterator[tuple[str, Any]]:
    for _, expression in expressions(policy):
        for node in nodes(expression):
            if is_a(node, ast.RangeVar):
                yield chain.key(node), node


def _path(reads_by_table: dict[str, set[str]], start: str, goal: str) -> tuple[str, ...] | None:
    """Return the shortest path of reads from one table to another; None if there is none."""
    paths: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    while paths:
        path = paths.pop(0)
        if path[-1] == goal:
            return path
        further = reads_by_table.get(path[-1], set()) - seen
        seen |= further
        paths.extend((*path, table) for table in sorted(further))
    return None
