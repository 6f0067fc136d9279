"""The mutants of a database: mutation operators applied to policies and to the functions they call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import psycopg
from psycopg.rows import class_row

from aigym_db.access import expression_mutations
from aigym_db.access.tables import Table
from aigym_db.database.queries import query
from aigym_db.model.access import Mutant

Node = TypeVar("Node")
_NAMES = re.compile(r"(?<![\w.])\w+\.\w+")


@dataclass(frozen=True, slots=True)
class PolicyDefinition:
    """A policy in the catalog."""

    table: str
    quoted_table: str
    name: str
    quoted: str
    permissive: bool
    command: str
    roles: str
    using: str | None
    check: str | None
    functions: list[int]
    reads: list[str]
    """Other tables that it reads."""
    columns: list[str]
    """Columns of its own table that it reads."""

    def create(self, *, permissive: bool) -> str:
        """Return the CREATE POLICY statement that recreates the policy as permissive or restrictive."""
        using = f" using ({self.using})" if self.using else ""
        check = f" with check ({self.check})" if self.check else ""
        kind = "permissive" if permissive else "restrictive"
        return (
            f"create policy {self.quoted} on {self.quoted_table} as {kind} "
            f"for {self.command} to {self.roles}{using}{check}"
        )


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """A function that policies can call."""

    oid: int
    name: str
    signature: str
    language: str
    body: str
    parsed: bool
    definition: str
    sees_all: bool
    """SECURITY DEFINER with an owner that bypasses policies: they do not apply to its queries."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A mutant, and the tables whose cells can kill it."""

    mutant: Mutant
    touches: Mapping[str, str]
    """Table to the policy command whose result can differ; `all` if every command's can."""
    equivalent: str = ""
    """The reason if it is known without a test that the mutant is equivalent."""


@dataclass(frozen=True, slots=True)
class AccessRules:
    """Policies, and the functions that they call."""

    policies: tuple[PolicyDefinition, ...]
    functions: Mapping[int, FunctionDefinition]
    calls: Mapping[int, set[int]]
    """For each function, those whose names its body contains."""

    def functions_read(self, table: str) -> bool:
        """Return True if the body of any function contains the name of the table."""
        return any(_mentions(function.body, table) for function in self.functions.values())

    def mutations(self, tables: Mapping[str, Table]) -> Iterator[Mutation]:
        """Yield every mutation; mutants with the same name are numbered."""
        counts: dict[str, int] = {}
        for mutation in self._mutations(tables):
            mutant = mutation.mutant
            counts[mutant.id] = number = counts.get(mutant.id, 0) + 1
            name = mutant.id if number == 1 else f"{mutant.id} ({number})"
            yield replace(mutation, mutant=replace(mutant, id=name))

    def _mutations(self, tables: Mapping[str, Table]) -> Iterator[Mutation]:
        readers = self._readers(tables)
        for policy in self.policies:
            touches = {policy.table: policy.command}
            if policy.command in ("select", "all"):
                touches = {**dict.fromkeys(_closure({policy.table}, readers), "all"), **touches}
            redundant, unused = _redundant_half(policy, tables), self._unused_check(policy)
            for operator, ddl in _policy_mutations(policy):
                reason = redundant if operator.startswith(("USING", "WITH CHECK")) else ""
                reason = unused if operator.startswith("WITH CHECK") and unused else reason
                yield Mutation(
                    Mutant(f"{policy.table} {policy.name}: {operator}", ddl, policy.table), touches, reason
                )
        for name in sorted({policy.table for policy in self.policies}):
            if name in tables and tables[name].protected:
                ddl = f"alter table {tables[name].quoted} disable row level security"
                everywhere = dict.fromkeys(_closure({name}, readers), "all")
                yield Mutation(Mutant(f"{name}: row-level security off", ddl, name), everywhere)
        users = self._users()
        for oid, function in self.functions.items():
            callers = _closure(users.get(oid, set()), readers)
            for removed, ddl in _function_mutations(function) if callers else ():
                yield Mutation(
                    Mutant(f"{function.signature}: without {removed}", ddl, None),
                    dict.fromkeys(callers, "all"),
                )

    def _unused_check(self, policy: PolicyDefinition) -> str:
        """The reason if the WITH CHECK of a restrictive policy for ALL has no effect."""
        if policy.permissive or policy.command != "all" or policy.columns:
            return ""
        permissive = [other for other in self.policies if other.table == policy.table and other.permissive]
        if any(other.command in ("insert", "all") for other in permissive):
            return ""
        return "No policy allows INSERT; an UPDATE has passed USING, which does not depend on the row."

    def _users(self) -> Mapping[int, set[str]]:
        """For each function, the tables whose policies call it, directly or through other functions."""
        tables: dict[int, set[str]] = {}
        for policy in self.policies:
            for oid in self._called(policy):
                tables.setdefault(oid, set()).add(policy.table)
        return tables

    def _called(self, policy: PolicyDefinition) -> set[int]:
        """The functions that a policy calls, directly or through other functions."""
        return _closure({oid for oid in policy.functions if oid in self.functions}, self.calls)

    def _readers(self, tables: Mapping[str, Table]) -> Mapping[str, set[str]]:
        """For each table, the tables whose policies read it subject to its policies."""
        readers: dict[str, set[str]] = {}
        for policy in self.policies:
            read = set(policy.reads)
            for oid in self._called(policy):
                function = self.functions[oid]
                if not function.sees_all:
                    read.update(name for name in tables if _mentions(function.body, name))
            for name in read - {policy.table}:
                readers.setdefault(name, set()).add(policy.table)
        return readers


def read_access_rules(connection: psycopg.Connection) -> AccessRules:
    """Read the policies and functions of a database.

    The `search_path` of the connection must be empty, so that names in expressions are schema-qualified.
    """
    with connection.cursor(row_factory=class_row(PolicyDefinition)) as cursor:
        policies = tuple(cursor.execute(query("access/policies").encode()))
    with connection.cursor(row_factory=class_row(FunctionDefinition)) as cursor:
        functions = {
            function.oid: function for function in cursor.execute(query("access/functions").encode())
        }
    by_name: dict[str, set[int]] = {}
    for function in functions.values():
        by_name.setdefault(function.name, set()).add(function.oid)
    calls = {
        oid: set().union(*(by_name.get(word, ()) for word in _NAMES.findall(function.body)))
        for oid, function in functions.items()
    }
    return AccessRules(policies, functions, calls)


def _redundant_half(policy: PolicyDefinition, tables: Mapping[str, Table]) -> str:
    """The reason if USING or WITH CHECK of an UPDATE policy is redundant."""
    if policy.command != "update" or policy.check not in (None, policy.using) or policy.table not in tables:
        return ""
    updates = {
        name
        for grants in tables[policy.table].grants.values()
        for name in grants.updates
        if not grants.bypasses
    }
    if updates & set(policy.columns):
        return ""
    return "USING and WITH CHECK are equal, and no role can update the columns they read: one suffices."


def _policy_mutations(policy: PolicyDefinition) -> Iterator[tuple[str, str]]:
    table, name = policy.quoted_table, policy.quoted
    yield "dropped", f"drop policy {name} on {table}"
    other = "restrictive" if policy.permissive else "permissive"
    yield f"made {other}", f"drop policy {name} on {table}; {policy.create(permissive=not policy.permissive)}"
    if policy.using and policy.using != "true":
        yield "USING true", f"alter policy {name} on {table} using (true)"
        for removed, text in expression_mutations.of_expression(policy.using):
            yield f"USING without {removed}", f"alter policy {name} on {table} using ({text})"
    if policy.check != "true" and policy.command != "select" and policy.command != "delete":
        yield "WITH CHECK true", f"alter policy {name} on {table} with check (true)"
    if policy.check and policy.check != "true":
        for removed, text in expression_mutations.of_expression(policy.check):
            yield f"WITH CHECK without {removed}", f"alter policy {name} on {table} with check ({text})"


def _function_mutations(function: FunctionDefinition) -> Iterator[tuple[str, str]]:
    if function.parsed:
        return
    if function.language == "sql":
        changed = expression_mutations.of_sql(function.body)
    else:
        changed = expression_mutations.of_plpgsql(function.definition, function.body)
    for removed, body in changed:
        yield removed, function.definition.replace(function.body, f" {body} ", 1)


def _mentions(body: str, name: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", body) is not None


def _closure(start: set[Node], edges: Mapping[Node, set[Node]]) -> set[Node]:
    """Everything reachable from `start`, which is included."""
    reached, pending = set(start), list(start)
    while pending:
        for successor in edges.get(pending.pop(), set()) - reached:
            reached.add(successor)
            pending.append(successor)
    return reached
