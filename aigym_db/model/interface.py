"""The interface of a schema that programs use: its relations and functions, with types and privileges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InterfaceColumn:
    """A column of a relation or of a function's result."""

    name: str
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
    """A function or procedure."""

    name: str
    """Qualified, such as `api_v1.invite`."""
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
class Vocabulary:
    """A domain or enum."""

    base: str
    """The base type of a domain; `text` for an enum."""
    values: tuple[str, ...]
    """The values it allows; empty for a domain that is not a list of values."""


@dataclass(frozen=True, slots=True)
class Interface:
    """All relations and functions of one schema."""

    schema: str
    relations: tuple[InterfaceRelation, ...]
    functions: tuple[InterfaceFunction, ...]
    types: Mapping[str, Vocabulary]
    """Domains and enums of the database by name."""

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
            facts.append(f"function {function.signature} returns {function.result_words}")
            facts += [f"  {function.signature}: execute to {role}" for role in function.roles]
        for name in sorted(self._used_types() & self.types.keys()):
            facts.append(f"type {name} {self.types[name].base}")
            facts += [f"  {name}: {value}" for value in self.types[name].values]
        return tuple(facts)

    def _used_types(self) -> set[str]:
        columns = [column for relation in self.relations for column in relation.columns]
        for function in self.functions:
            columns += [InterfaceColumn(each.name, each.type) for each in function.arguments]
            columns += [*function.columns, InterfaceColumn("", function.result)]
        return {column.type.removesuffix("[]") for column in columns}
