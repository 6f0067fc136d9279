"""The mutants of a database: mutation operators applied to policies and to the functions they call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain

import psycopg
from psycopg.rows import class_row

from aigym_db.access import expression_mutations
from aigym_db.access.call_graph import CallGraph, FunctionDefinition, Written, closure, read_call_graph
from aigym_db.access.function_mutations import WITHOUT_PATH, FunctionOperators
from aigym_db.access.tables import Table
from aigym_db.access.trial import Trial
from aigym_db.database.queries import query
from aigym_db.model.access import Mutant, MutantKind


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
class Mutation:
    """A mutant, and the tables and function whose cells can kill it."""

    mutant: Mutant
    touches: Mapping[str, str]
    """Table to the policy command whose result can differ; `all` if every command's can."""
    function: int | None = None
    """The function that it changes."""
    path: bool = False
    """Only callers with another search_path can distinguish it."""
    equivalent: str = ""
    """The reason if it is known without a test that the mutant is equivalent."""


@dataclass(frozen=True, slots=True)
class AccessRules:
    """Policies, and the functions of the database."""

    policies: tuple[PolicyDefinition, ...]
    graph: CallGraph
    calls: Mapping[int, set[int]]
    """For each function, those whose names its definition contains."""

    @property
    def functions(self) -> Mapping[int, FunctionDefinition]:
        """The functions of the database, by oid."""
        return self.graph.functions

    def subjects(self, mutation: Mutation) -> set[str]:
        """Return the table whose policy a mutation changes, or the names of the function."""
        if mutation.function is None:
            return {mutation.mutant.table or ""}
        function = self.graph.functions[mutation.function]
        return {function.name, function.signature}

    def functions_read(self, table: str) -> bool:
        """Return True if any function contains the name of the table."""
        return any(table in self.graph.edges[oid] for oid in self.graph.functions)

    def mutations(self, trial: Trial) -> Iterator[Mutation]:
        """Yield every mutation; mutants with the same name are numbered.

        Functions are mutated if policies call them, if actors can execute them or fire them by writes, or if
        those reach them; functions in schemas of `outside` are not, nor those that only pass their arguments
        to another.
        """
        counts: dict[str, int] = {}
        readers = self._readers(trial.tables)
        for mutation in chain(
            self._policy_mutations(trial.tables, readers), self._function_mutations(trial, readers)
        ):
            mutant = mutation.mutant
            counts[mutant.id] = number = counts.get(mutant.id, 0) + 1
            name = mutant.id if number == 1 else f"{mutant.id} ({number})"
            yield replace(mutation, mutant=replace(mutant, id=name))

    def _policy_mutations(
        self, tables: Mapping[str, Table], readers: Mapping[str, set[str]]
    ) -> Iterator[Mutation]:
        for policy in self.policies:
            touches = {policy.table: policy.command}
            if policy.command in ("select", "all"):
                touches = {**dict.fromkeys(closure({policy.table}, readers), "all"), **touches}
            redundant, unused = _redundant_half(policy, tables), self._unused_check(policy)
            for operator, ddl in _policy_mutations(policy):
                reason = redundant if operator.startswith(("USING", "WITH CHECK")) else ""
                reason = unused if operator.startswith("WITH CHECK") and unused else reason
                name = f"{policy.table} {policy.name}: {operator}"
                yield Mutation(Mutant(name, ddl, "policy", policy.table), touches, equivalent=reason)
        for name in sorted({policy.table for policy in self.policies}):
            if name in tables and tables[name].protected:
                ddl = f"alter table {tables[name].quoted} disable row level security"
                everywhere = dict.fromkeys(closure({name}, readers), "all")
                yield Mutation(Mutant(f"{name}: row-level security off", ddl, "policy", name), everywhere)

    def _function_mutations(self, trial: Trial, readers: Mapping[str, set[str]]) -> Iterator[Mutation]:
        executed = {oid for name in trial.functions for oid in self.graph.named(name)}
        wrappers = {
            oid
            for name, function in trial.functions.items()
            if function.wraps and name not in trial.matrix.functions
            for oid in self.graph.named(name)
        }
        written = {
            Written(name)
            for name, table in trial.tables.items()
            if any(grants.inserts or grants.updates or grants.deletes for grants in table.grants.values())
        }
        reached = self.graph.reached(executed | written)
        users = self._users()
        operators = FunctionOperators(self.graph, executed)
        for oid, function in self.graph.functions.items():
            callers = closure(users.get(oid, set()), readers)
            outside = function.name.partition(".")[0] in trial.matrix.actor_list.outside
            if outside or oid in wrappers or not (callers or oid in reached):
                continue
            for operator, ddl, reason in operators.mutations(function):
                kind: MutantKind = "helper" if callers else "function"
                yield Mutation(
                    Mutant(f"{function.signature}: {operator}", ddl, kind),
                    dict.fromkeys(callers, "all"),
                    oid,
                    operator == WITHOUT_PATH,
                    reason,
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
        return closure({oid for oid in policy.functions if oid in self.functions}, self.calls)

    def _readers(self, tables: Mapping[str, Table]) -> Mapping[str, set[str]]:
        """For each table, the tables whose policies read it subject to its policies."""
        readers: dict[str, set[str]] = {}
        for policy in self.policies:
            read = set(policy.reads)
            for oid in self._called(policy):
                if not self.graph.functions[oid].sees_all:
                    read.update(name for name in tables if name in self.graph.edges[oid])
            for name in read - {policy.table}:
                readers.setdefault(name, set()).add(policy.table)
        return readers


def read_access_rules(connection: psycopg.Connection) -> AccessRules:
    """Read the policies and functions of a database.

    The `search_path` of the connection must be empty, so that names in expressions are schema-qualified.
    """
    with connection.cursor(row_factory=class_row(PolicyDefinition)) as cursor:
        policies = tuple(cursor.execute(query("access/policies").encode()))
    graph = read_call_graph(connection)
    calls = {
        oid: {called for called in graph.edges[oid] if isinstance(called, int)} for oid in graph.functions
    }
    return AccessRules(policies, graph, calls)


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
