"""The interface of a schema that programs use: its relations and functions, with types and privileges."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InterfaceColumn:
    """A column of a relation, of a composite type or of a function's result."""

    name: str
    """Quoted as in SQL where necessary, as every name in this module."""
    type: str
    """As `format_type` prints it, such as `uuid` or `content.content_status`."""


@dataclass(frozen=True, slots=True)
class InterfaceRelation:
    """A table or view."""

    name: str
    """Qualified, such as `api_v1.people`."""
    kind: str
    """`table`, `view` or `materialized view`."""
    columns: tuple[InterfaceColumn, ...]
    privileges: Mapping[str, tuple[str, ...]]
    """Privileges by role, as GRANT writes them: `select`, `update (name, seen)`."""


@dataclass(frozen=True, slots=True)
class FunctionArgument:
    """An argument of a function."""

    name: str
    type: str
    optional: bool
    """It has a default."""


@dataclass(frozen=True, slots=True)
class InterfaceFunction:
    """A function, procedure or aggregate."""

    name: str
    """Qualified, such as `api_v1.invite`."""
    kind: str
    """`function`, `procedure` or `aggregate`."""
    arguments: tuple[FunctionArgument, ...]
    result: str
    """The type as `format_type` prints it; `record` if `columns` has its columns."""
    returns_set: bool
    columns: tuple[InterfaceColumn, ...]
    """The columns of RETURNS TABLE or of output arguments."""
    roles: tuple[str, ...]
    """The roles that can execute it, other than its owner."""

    @property
    def signature(self) -> str:
        """Name and arguments: `api_v1.invite(tenant uuid, email text, role_code text default)`."""
        words = (f"{each.name} {each.type}{' default' if each.optional else ''}" for each in self.arguments)
        return f"{self.name}({', '.join(words)})"

    @property
    def result_words(self) -> str:
        """The result as in CREATE FUNCTION: `setof uuid`, `table (id uuid, token text)`."""
        if self.columns:
            return f"table ({', '.join(f'{column.name} {column.type}' for column in self.columns)})"
        return f"setof {self.result}" if self.returns_set else self.result


@dataclass(frozen=True, slots=True)
class InterfaceType:
    """A domain, enum or composite type."""

    base: str
    """The base type of a domain; `text` for an enum, `record` for a composite type."""
    values: tuple[str, ...]
    """The values it allows; empty for a domain that is not a list of values."""
    columns: tuple[InterfaceColumn, ...] = ()
    """The columns of a composite type, or of a relation, which is a type as well."""


@dataclass(frozen=True, slots=True)
class Interface:
    """All relations and functions of one schema."""

    schema: str
    relations: tuple[InterfaceRelation, ...]
    functions: tuple[InterfaceFunction, ...]
    types: Mapping[str, InterfaceType]
    """Domains, enums and composite types of the database by name."""

    def lines(self) -> tuple[str, ...]:
        """Return one line for each fact that a program can depend on, in a stable order.

        A change of the interface is a changed line, so that a difference of two versions is a difference of
        their lines.
        """
        facts: list[str] = []
        for relation in self.relations:
            facts.append(f"{relation.kind} {relation.name}")
            facts += [f"  {relation.name}.{column.name} {column.type}" for column in relation.columns]
            facts += [
                f"  {relation.name}: {', '.join(privileges)} to {role}"
                for role, privileges in sorted(relation.privileges.items())
            ]
        for function in self.functions:
            facts.append(f"{function.kind} {function.signature} returns {function.result_words}")
            facts += [f"  {function.signature}: execute to {role}" for role in function.roles]
        for name in sorted(self._used_types()):
            facts.append(f"type {name} {self.types[name].base}")
            facts += [f"  {name}: {value}" for value in self.types[name].values]
            facts += [f"  {name}.{column.name} {column.type}" for column in self.types[name].columns]
        return tuple(fact.replace("\n", r"\n").replace("\r", r"\r") for fact in facts)

    def _used_types(self) -> set[str]:
        """Return the types that the interface mentions, and those that these consist of.

        The relations of the schema are left out: their columns are facts of their own.
        """
        own = {relation.name for relation in self.relations}
        used: set[str] = set()
        pending = self._mentioned_types()
        while pending:
            name = pending.pop()
            if name in used or name in own or name not in self.types:
                continue
            used.add(name)
            known = self.types[name]
            pending |= {element(each) for each in (known.base, *(column.type for column in known.columns))}
        return used

    def _mentioned_types(self) -> set[str]:
        columns = [column for relation in self.relations for column in relation.columns]
        for function in self.functions:
            columns += [InterfaceColumn(each.name, each.type) for each in function.arguments]
            columns += [*function.columns, InterfaceColumn("", function.result)]
        return {element(column.type) for column in columns}


def element(name: str) -> str:
    """Return the name of a type without array bounds and modifier: `numeric` for `numeric(10,2)[]`.

    The modifier can be followed by words: `timestamp(3) with time zone`.
    """
    return re.sub(r"\([0-9,-]+\)(?=$| with| \[)", "", name.removesuffix("[]"))


def unquoted(name: str) -> str:
    """Return the last part of a qualified name without quotes: `Big Table` for `api."Big Table"`."""
    last: str = re.findall(r'"(?:[^"]|"")*"|[^".]+', name)[-1]
    return last[1:-1].replace('""', '"') if last.startswith('"') else last
