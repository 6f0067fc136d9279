"""The reach of an actor: the rows it can select, and the values that functions return for it.

It is read before and after each permitted call. A row that the actor can select only afterwards and that the
call did not write itself has been gained, as has a value of a function: membership of a tenant, a permission.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aigym_db.access.statements import written_condition
from aigym_db.access.tables import Table
from aigym_db.syntax.quote import literal


@dataclass(frozen=True, slots=True)
class ReadOnlyCall:
    """A call of a function that writes nothing, with arguments that are the same for all actors."""

    label: str
    """`schema.name(call)`."""
    statement: str
    roles: frozenset[str]
    """The roles that can execute it."""


def policed_roles(tables: Sequence[Table], roles: Iterable[str]) -> tuple[str, ...]:
    """Return the roles that do not bypass row-level security; the reach of the others cannot grow."""
    return tuple(
        sorted(
            role
            for role in set(roles)
            if any(role in table.grants and not table.grants[role].bypasses for table in tables)
        )
    )


def reach_function(name: str, role: str, tables: Iterable[Table], calls: Sequence[ReadOnlyCall]) -> str:
    """Return the CREATE FUNCTION of `pg_temp.<name>(claims, settings)`, which returns the reach of an actor.

    The function returns `schema.table key` for each row, and `schema.name(call) value` for each value that is
    neither null nor false. Its queries are static, so that each is planned once per session: planning them
    takes longer than executing them.
    """
    reads = [f"perform pg_temp.aigym_act_as({literal(role)}, claims, settings);"]
    reads += [
        _append(f"select {literal(table.name + ' ')} || {table.key_sql} from {table.quoted}")
        for table in tables
        if role in table.grants and table.grants[role].selects.issuperset(table.key)
    ]
    for call in calls:
        if role in call.roles:
            label = literal(call.label + " ")
            append = _append(
                f"select {label} || aigym_value::text from {call.statement} as aigym_value "
                "where aigym_value::text <> 'false'"
            )
            reads.append(f"begin {append} exception when others then null; end;")
    return _function(f"{name}(claims text, settings jsonb)", reads)


def written_function(name: str, tables: Iterable[Table]) -> str:
    """Return the CREATE FUNCTION of `pg_temp.<name>()`: the rows that the transaction inserted or updated.

    They have the form of `reach_function`.
    """
    condition = written_condition()
    return _function(
        f"{name}()",
        [
            _append(
                f"select {literal(table.name + ' ')} || {table.key_sql} from {table.quoted} where {condition}"
            )
            for table in tables
        ],
    )


def _append(text: str) -> str:
    return f"reached := reached || array({text});"


def _function(head: str, statements: Iterable[str]) -> str:
    body = "\n".join(statements)
    return (
        f"create or replace function pg_temp.{head} returns text[] language plpgsql as $aigym_reach$\n"
        f"declare reached text[] := '{{}}';\nbegin\n{body}\n"
        "perform set_config('role', 'none', true);\nreturn reached;\nend\n$aigym_reach$"
    )
