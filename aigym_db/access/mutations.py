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

Thing = TypeVar("Thing")
_NAMES = re.compile(r"(?<![\w.])\w+\.\w+")


@dataclass(frozen=True, slots=True)
class PolicyDefinition:
    """A policy as PostgreSQL holds it."""

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
    """Other tables."""
    columns: list[str]
    """Those of its own table that it reads."""

    def create(self, *, permissive: bool) -> str:
        """The statement that makes it again."""
        using = f" using ({self.using})" if self.using else ""
        check = f" with check ({self.check})" if self.check else ""
        kind = "permissive" if permissive else "restrictive"
        return (
            f"create policy {self.quoted} on {self.quoted_table} as {kind} "
            f"for {self.command} to {self.roles}{using}{check}"
        )


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """A function that policies may ask."""

    oid: int
    name: str
    signature: str
    language: str
    body: str
    parsed: bool
    definition: str
    sees_all: bool
    """What it reads does not depend on policies: SECURITY DEFINER of a role that bypasses them."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A mutant, and the cells that can kill it."""

    mutant: Mutant
    touches: Mapping[str, str]
    """Table to the policy command whose outcome may differ there; `all` where any may."""
    equivalent: str = ""
    """Why it makes no difference, where that can be seen without trying."""


@dataclass(frozen=True, slots=True)
class AccessRules:
    """What decides about rows: policies, the functions they ask, and which tables depend on which."""

    policies: tuple[PolicyDefinition, ...]
    functions: Mapping[int, FunctionDefinition]
    calls: Mapping[int, set[int]]
    """For each function those whose names its body holds."""

    def functions_read(self, table: str) -> bool:
        """Whether the body of any function names the table."""
        return any(_mentions(function.body, table) for function in self.functions.values())

    def mutations(self, tables: Mapping[str, Table]) -> Iterator[Mutation]:
        """Every mutant of these read_access_rules."""
        known: dict[str, int] = {}
        for one in self._mutations(tables):
            known[one.mutant.id] = again = known.get(one.mutant.id, 0) + 1
            name = one.mutant.id if again == 1 else f"{one.mutant.id} ({again})"
            yield replace(one, mutant=replace(one.mutant, id=name))

    def _mutations(self, tables: Mapping[str, Table]) -> Iterator[Mutation]:
        readers = self._readers(tables)
        for policy in self.policies:
            touches = {policy.table: policy.command}
            if policy.command in ("select", "all"):
                touches = {**dict.fromkeys(_closure({policy.table}, readers), "all"), **touches}
            twice, unasked = _is_redundant(policy, tables), self._is_not_asked(policy)
            for what, ddl in _policy_mutations(policy):
                reason = twice if what.startswith(("USING", "WITH CHECK")) else ""
                reason = unasked if what.startswith("WITH CHECK") and unasked else reason
                yield Mutation(
                    Mutant(f"{policy.table} {policy.name}: {what}", ddl, policy.table), touches, reason
                )
        for name in sorted({policy.table for policy in self.policies}):
            if name in tables and tables[name].protected:
                ddl = f"alter table {tables[name].quoted} disable row level security"
                everywhere = dict.fromkeys(_closure({name}, readers), "all")
                yield Mutation(Mutant(f"{name}: row-level security off", ddl, name), everywhere)
        users = self._users()
        for oid, function in self.functions.items():
            asked_by = _closure(users.get(oid, set()), readers)
            for what, ddl in _function_mutations(function) if asked_by else ():
                yield Mutation(
                    Mutant(f"{function.signature}: without {what}", ddl, None), dict.fromkeys(asked_by, "all")
                )

    def _is_not_asked(self, policy: PolicyDefinition) -> str:
        """The reason if the WITH CHECK of a restrictive policy for ALL has no effect."""
        if policy.permissive or policy.command != "all" or policy.columns:
            return ""
        lets = [other for other in self.policies if other.table == policy.table and other.permissive]
        if any(other.command in ("insert", "all") for other in lets):
            return ""
        return "No policy allows INSERT; an UPDATE has passed USING, which does not depend on the row."

    def _users(self) -> Mapping[int, set[str]]:
        """The tables whose policies ask a function, directly or through others."""
        found: dict[int, set[str]] = {}
        for policy in self.policies:
            for oid in self._asked(policy):
                found.setdefault(oid, set()).add(policy.table)
        return found

    def _asked(self, policy: PolicyDefinition) -> set[int]:
        """The functions a policy asks, directly or through others."""
        return _closure({oid for oid in policy.functions if oid in self.functions}, self.calls)

    def _readers(self, tables: Mapping[str, Table]) -> Mapping[str, set[str]]:
        """For each table those whose policies read it under its own: a change there is a change here."""
        found: dict[str, set[str]] = {}
        for policy in self.policies:
            read = set(policy.reads)
            for oid in self._asked(policy):
                function = self.functions[oid]
                if not function.sees_all:
                    read.update(name for name in tables if _mentions(function.body, name))
            for name in read - {policy.table}:
                found.setdefault(name, set()).add(policy.table)
        return found


def read_access_rules(connection: psycopg.Connection) -> AccessRules:
    """The policies and functions of a database; its search path must be empty, so that names are whole."""
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


def _is_redundant(policy: PolicyDefinition, tables: Mapping[str, Table]) -> str:
    """Why either half of an update policy does without the other, if so."""
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
        for what, text in expression_mutations.of_expression(policy.using):
            yield f"USING without {what}", f"alter policy {name} on {table} using ({text})"
    if policy.check != "true" and policy.command != "select" and policy.command != "delete":
        yield "WITH CHECK true", f"alter policy {name} on {table} with check (true)"
    if policy.check and policy.check != "true":
        for what, text in expression_mutations.of_expression(policy.check):
            yield f"WITH CHECK without {what}", f"alter policy {name} on {table} with check ({text})"


def _function_mutations(function: FunctionDefinition) -> Iterator[tuple[str, str]]:
    if function.parsed:
        return
    if function.language == "sql":
        changed = expression_mutations.of_sql(function.body)
    else:
        changed = expression_mutations.of_plpgsql(function.definition, function.body)
    for what, body in changed:
        yield what, function.definition.replace(function.body, f" {body} ", 1)


def _mentions(body: str, name: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", body) is not None


def _closure(start: set[Thing], onward: Mapping[Thing, set[Thing]]) -> set[Thing]:
    """Everything that can be come to from the start, itself included."""
    found, left = set(start), list(start)
    while left:
        for one in onward.get(left.pop(), set()) - found:
            found.add(one)
            left.append(one)
    return found
